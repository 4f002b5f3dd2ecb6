import Console
import Testing

/// The page of a simulation.
struct SimulationPageTests {
    @Test("The page holds its result, its script and nothing that must be fetched")
    func selfContained() {
        let page = SimulationPage.html(json: #"{"runs": [], "name": "{{script}}"}"#)
        #expect(page.contains(#"{"runs": [], "name": "{{script}}"}"#))
        #expect(!page.contains(" src="))
        #expect(!page.contains("{{result}}"))
    }

    @Test("So does the page of a plan")
    func plan() {
        let page = PlanPage.html(json: #"{"pools": [], "model": "</script><b>"}"#)
        #expect(page.contains(#"{"pools": [], "model": "\u003c/script>\u003cb>"}"#))
        #expect(page.contains("What a budget takes"))
        #expect(!page.contains(" src="))
    }

    @Test("A name in the result cannot end the element it stands in")
    func escaped() {
        let page = SimulationPage.html(
            json: #"{"name": "</script><b>"}"#, chartLibraries: ["/nowhere/chart.js"])
        #expect(page.contains(#"\u003c/script>\u003cb>"#))
    }
}
