/// Decodes the chunked transfer coding (RFC 9112 7.1), strictly, over any split of the bytes.
///
/// Extensions are read and dropped, trailers are bounded and dropped.
package struct ChunkedDecoder {
    /// What was found at the offset that was asked about.
    package enum Event: Equatable {
        /// Body bytes; go on behind them.
        case data(ByteRange)
        /// Everything given was used; more bytes are needed.
        case needMore
        /// The body and its trailer ended before this offset.
        case end(Int)
    }

    private enum State {
        case size(digits: Int)
        case fieldExtension(count: Int)
        case sizeLineFeed
        case data
        case dataCarriageReturn
        case dataLineFeed
        case trailerLineStart
        case trailerName
        case trailerLine
        case trailerLineFeed
        case lastLineFeed
        case done
    }

    private static let extensionBytesMax = 256
    private static let trailerBytesMax = 8 << 10

    private var state = State.size(digits: 0)
    private var remaining: UInt64 = 0
    private var trailerBytes = 0

    package init() {}

    /// Takes bytes from `offset` on and returns the next event; moves `offset` behind it.
    package mutating func next(
        _ bytes: Span<UInt8>, at offset: inout Int
    ) throws(WireFault) -> Event {
        while offset < bytes.count {
            if case .data = self.state {
                let count = Int(min(self.remaining, UInt64(bytes.count - offset)))
                let range = ByteRange(start: offset, end: offset + count)
                offset += count
                self.remaining -= UInt64(count)
                if self.remaining == 0 { self.state = .dataCarriageReturn }
                return .data(range)
            }
            let byte = bytes[offset]
            offset += 1
            try self.take(byte)
            if case .done = self.state { return .end(offset) }
        }
        return .needMore
    }

    private mutating func take(_ byte: UInt8) throws(WireFault) {
        switch self.state {
        case .size(let digits): try self.takeSize(byte, digits: digits)
        case .fieldExtension(let count):
            if byte == Bytes.carriageReturn {
                self.state = .sizeLineFeed
            } else {
                guard Bytes.isFieldValue(byte), count < Self.extensionBytesMax else {
                    throw .badChunkSize
                }
                self.state = .fieldExtension(count: count + 1)
            }
        case .sizeLineFeed:
            guard byte == Bytes.lineFeed else { throw .bareLineEnding }
            self.state = self.remaining == 0 ? .trailerLineStart : .data
        case .dataCarriageReturn:
            guard byte == Bytes.carriageReturn else { throw .badChunkEnd }
            self.state = .dataLineFeed
        case .dataLineFeed:
            guard byte == Bytes.lineFeed else { throw .badChunkEnd }
            self.state = .size(digits: 0)
        case .trailerLineStart, .trailerName, .trailerLine, .trailerLineFeed, .lastLineFeed:
            try self.takeTrailer(byte)
        case .data, .done: break
        }
    }

    private mutating func takeSize(_ byte: UInt8, digits: Int) throws(WireFault) {
        if let value = Bytes.hexValue(byte) {
            // Fifteen digits are far above any body and cannot overflow.
            guard digits < 15 else { throw .badChunkSize }
            self.remaining = self.remaining << 4 | value
            self.state = .size(digits: digits + 1)
            return
        }
        guard digits > 0 else { throw .badChunkSize }
        switch byte {
        case Bytes.carriageReturn: self.state = .sizeLineFeed
        case 0x3B: self.state = .fieldExtension(count: 0)
        default: throw .badChunkSize
        }
    }

    private mutating func takeTrailer(_ byte: UInt8) throws(WireFault) {
        self.trailerBytes += 1
        guard self.trailerBytes <= Self.trailerBytesMax else { throw .badTrailer }
        switch self.state {
        case .trailerLineStart:
            if byte == Bytes.carriageReturn {
                self.state = .lastLineFeed
            } else {
                guard Bytes.isToken(byte) else { throw .badTrailer }
                self.state = .trailerName
            }
        case .trailerName:
            if byte == Bytes.colon {
                self.state = .trailerLine
            } else if !Bytes.isToken(byte) {
                throw .badTrailer
            }
        case .trailerLine:
            if byte == Bytes.carriageReturn {
                self.state = .trailerLineFeed
            } else if !Bytes.isFieldValue(byte) {
                throw .badTrailer
            }
        case .trailerLineFeed:
            guard byte == Bytes.lineFeed else { throw .bareLineEnding }
            self.state = .trailerLineStart
        case .lastLineFeed:
            guard byte == Bytes.lineFeed else { throw .bareLineEnding }
            self.state = .done
        default: break
        }
    }
}
