import EventLoop

/// What one turn of the loop adds to an answer, framed for the connection it goes to.
struct AnswerPiece {
    /// Up to here, copying costs less than more runs in the system call.
    private static let joinedBytesMax = 2048

    private let head: HeadBuilder?
    private let body: [UnsafeRawBufferPointer]
    private let bytes: Int
    private let isChunked: Bool
    private let ends: Bool

    /// `hasBody`: false for an answer to HEAD, whose body is not sent.
    init(
        head: HeadBuilder?, body: [UnsafeRawBufferPointer], hasBody: Bool, isChunked: Bool,
        ends: Bool
    ) {
        var bytes = 0
        if hasBody { for run in body { bytes += run.count } }
        self.head = head
        self.body = body
        self.bytes = bytes
        self.isChunked = isChunked && hasBody
        self.ends = ends
    }

    /// Writes it in one call; a small one is first joined in `scratch`.
    func write(to stream: Stream, joiningIn scratch: HeadBuilder) {
        if (self.head?.count ?? 0) + self.bytes <= Self.joinedBytesMax {
            scratch.removeAll()
            self.forEachRun { scratch.append($0) }
            scratch.withBytes { stream.write($0) }
        } else {
            // Head, chunk size, body runs, chunk end and last chunk.
            let capacity = self.body.count + 3
            withUnsafeTemporaryAllocation(of: WriteBuffer.self, capacity: capacity) { out in
                // The size line lives in the block around the call.
                ChunkSize(self.bytes).withBytes { size in
                    var used = 0
                    self.forEachRun(size: size) { run in
                        guard run.count > 0 else { return }
                        out.initializeElement(at: used, to: WriteBuffer(run))
                        used += 1
                    }
                    stream.write(UnsafeMutableBufferPointer(rebasing: out[..<used]))
                }
            }
        }
    }

    private func forEachRun(_ add: (UnsafeRawBufferPointer) -> Void) {
        ChunkSize(self.bytes).withBytes { self.forEachRun(size: $0, add) }
    }

    private func forEachRun(
        size: UnsafeRawBufferPointer, _ add: (UnsafeRawBufferPointer) -> Void
    ) {
        self.head?.withBytes { add($0) }
        if self.bytes > 0 {
            if self.isChunked { add(size) }
            for run in self.body { add(run) }
            if self.isChunked { add(self.ends ? ChunkSize.endAndLast : ChunkSize.end) }
        } else if self.ends, self.isChunked {
            add(ChunkSize.last)
        }
    }
}
