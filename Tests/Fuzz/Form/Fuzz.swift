import Wire

/// Looks for the model in a form: in one that is the input, whose first line is its content type,
/// and in one that is made of the input, where it must be found.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: data, count: count)
    let line = bytes.firstIndex(of: 0x0A) ?? count
    let body = ByteRange(start: min(line + 1, count), end: count)
    let type = ByteRange(start: 0, end: line)
    if let model = MultipartForm.read(bytes.span, contentType: type, body: body)?.model {
        precondition(body.start < model.start && model.start <= model.end && model.end < body.end)
        precondition(bytes[..<model.start].suffix(4).elementsEqual("\r\n\r\n".utf8))
        precondition(bytes[model.end...].prefix(4).elementsEqual("\r\n--".utf8))
    }
    // Whatever a file and a model's name hold, but for the delimiter, the name is found in between.
    let half = count / 2
    let (file, name) = (Array(bytes[..<half]), Array(bytes[half...]))
    guard !holdsDelimiter(file), !holdsDelimiter(name) else { return 0 }
    precondition(found(name, behind: file) == name)
    return 0
}

private let boundary = "fuzz-7"
private let delimiter = Array("--\(boundary)".utf8)

private func holdsDelimiter(_ bytes: [UInt8]) -> Bool {
    bytes.indices.contains { bytes[$0...].starts(with: delimiter) }
}

/// The model in a form with a file that names it too, in another place.
private func found(_ name: [UInt8], behind file: [UInt8]) -> [UInt8]? {
    let type = Array("multipart/form-data; charset=x; boundary=\"\(boundary)\"".utf8)
    var form = type + delimiter
    form += Array("\r\ncontent-disposition: form-data; filename=\"model\"; name=f\r\n\r\n".utf8)
    form += file + Array("\r\n".utf8) + delimiter
    form += Array("\r\nX: 1\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n".utf8)
    form += name + Array("\r\n".utf8) + delimiter + Array("--\r\n".utf8)
    guard
        let model = MultipartForm.read(
            form.span, contentType: ByteRange(start: 0, end: type.count),
            body: ByteRange(start: type.count, end: form.count))?.model
    else { return nil }
    return Array(form[model.start..<model.end])
}
