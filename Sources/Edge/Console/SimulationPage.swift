/// The page of a simulation: one file that needs nothing else, not even a network.
package enum SimulationPage {
    /// The page as HTML.
    ///
    /// - Parameters:
    ///   - json: the result as `plimsoll simulate --output json` prints it.
    ///   - chartLibraries: where Chart.js may be; the first that can be read goes into the page.
    ///     Without any the page shows its table alone.
    package static func html(
        json: String, chartLibraries: [String] = AdminServer.Options().chartLibraries
    ) -> String {
        SelfContainedPage.html(
            template: PackageResources.simulation_html, script: PackageResources.simulation_js,
            json: json, chartLibraries: chartLibraries)
    }
}

/// The page of a capacity plan, in the same way.
package enum PlanPage {
    /// The page as HTML; `json` as `plimsoll plan --output json` prints it.
    package static func html(
        json: String, chartLibraries: [String] = AdminServer.Options().chartLibraries
    ) -> String {
        SelfContainedPage.html(
            template: PackageResources.plan_html, script: PackageResources.plan_js, json: json,
            chartLibraries: chartLibraries)
    }
}

/// A template with a result, a style, the chart library and a script put into it.
private enum SelfContainedPage {
    static func html(
        template: [UInt8], script: [UInt8], json: String, chartLibraries: [String]
    ) -> String {
        let charts = ChartLibrary.load(chartLibraries).map { String(decoding: $0, as: UTF8.self) }
        let parts = [
            "style": String(decoding: PackageResources.console_css, as: UTF8.self),
            // Names come from the budget's author: a `<` must not end the element.
            "result": replacing("<", by: "\\u003c", in: json),
            // The same for the library's own strings.
            "charts": replacing("</script", by: "<\\/script", in: charts ?? ""),
            "script": String(decoding: script, as: UTF8.self),
        ]
        return fill(String(decoding: template, as: UTF8.self), parts)
    }

    /// Puts each part where the template has its name in double braces; what a part holds is not
    /// looked at again.
    private static func fill(_ template: String, _ parts: [String: String]) -> String {
        var page = ""
        var rest = template.utf8[...]
        while let open = rest.firstRange(of: Array("{{".utf8)),
            let close = rest[open.upperBound...].firstRange(of: Array("}}".utf8))
        {
            page += String(decoding: rest[..<open.lowerBound], as: UTF8.self)
            let name = String(decoding: rest[open.upperBound..<close.lowerBound], as: UTF8.self)
            page += parts[name] ?? ""
            rest = rest[close.upperBound...]
        }
        return page + String(decoding: rest, as: UTF8.self)
    }

    private static func replacing(_ old: String, by new: String, in text: String) -> String {
        var result = ""
        var rest = text.utf8[...]
        while let found = rest.firstRange(of: Array(old.utf8)) {
            result += String(decoding: rest[..<found.lowerBound], as: UTF8.self) + new
            rest = rest[found.upperBound...]
        }
        return result + String(decoding: rest, as: UTF8.self)
    }
}
