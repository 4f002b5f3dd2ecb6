import Glibc

/// The files of the console, inside the binary.
enum Page {
    struct Content {
        var contentType: StaticString
        var bytes: [UInt8]
    }

    /// What is at `path`; `nil` for nothing.
    static func at(_ path: String) -> Content? {
        switch path {
        case "/":
            Content(
                contentType: "text/html; charset=utf-8", bytes: PackageResources.console_html)
        case "/icon.svg":
            Content(contentType: "image/svg+xml", bytes: PackageResources.icon_svg)
        case "/console.css":
            Content(contentType: "text/css; charset=utf-8", bytes: PackageResources.console_css)
        case "/console.js":
            Content(
                contentType: "text/javascript; charset=utf-8", bytes: PackageResources.console_js)
        case "/view.js":
            Content(
                contentType: "text/javascript; charset=utf-8", bytes: PackageResources.view_js)
        case "/charts.js":
            Content(
                contentType: "text/javascript; charset=utf-8", bytes: PackageResources.charts_js)
        default: nil
        }
    }
}

/// Chart.js as the distribution installs it (package `libjs-chart.js`). Without it the console
/// shows tables in place of charts.
enum ChartLibrary {
    private static let bytesMax = 2 << 20

    /// The text of the first of `paths` that can be read; `nil` for none.
    static func load(_ paths: [String]) -> [UInt8]? {
        paths.lazy.compactMap { Self.read($0) }.first
    }

    private static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= Self.bytesMax {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return bytes.isEmpty || bytes.count > Self.bytesMax ? nil : bytes
    }
}
