import RequestPath
import Testing
import Time

/// What admission learns from how requests end, and what it must not.
@Suite struct OutcomeTests {
    @Test func `a declined request teaches nothing, however soon the engine said so`() throws {
        var book = OutcomeBook()
        for _ in 0..<8 { book.serve() }
        let before = try #require(book.gauges)
        let expected = book.expectedContext()
        for _ in 0..<200 {
            let id = book.arrive()
            book.pass(millis: 3)
            book.tell(.declined(id))
        }
        let after = try #require(book.gauges)
        #expect(after.firstTokenNanos == before.firstTokenNanos)
        #expect(after.perPrefillTokenNanos == before.perPrefillTokenNanos)
        #expect(after.prefillTokensMax == before.prefillTokensMax)
        #expect(book.expectedContext() == expected)
        #expect(after.inFlight == 0 && after.isOpen)
    }

    @Test func `many answers to one prompt are booked as many`() {
        var book = OutcomeBook()
        for _ in 0..<20 { book.serve() }
        let one = book.expectedContext() - 100
        let eight = book.expectedContext(choices: 8) - 100
        #expect(abs(eight / one - 8) < 0.2, "\(one), \(eight)")
        // Each of the eight is as long as all others were: nothing new is learned.
        for _ in 0..<20 { book.serve(choices: 8) }
        let after = book.expectedContext() - 100
        #expect(after < one * 1.1, "\(one), \(after)")
    }

    @Test func `an endpoint on trial that declines a request is back`() throws {
        var book = OutcomeBook()
        let lost = book.arrive()
        book.tell(.attemptFailed(lost, .refused, beforeFirstByte: false))
        book.tell(.probed(EndpointID(raw: 0), healthy: true))
        #expect(book.gauges?.isHalfOpen == true)
        book.tell(.declined(book.arrive()))
        #expect(book.gauges?.isHalfOpen == false && book.gauges?.isOpen == true)
    }

    @Test func `a declined request costs its tenant nothing`() {
        var book = OutcomeBook()
        book.serve()
        let before = book.admission.attainedWork(of: TenantID(raw: 0))
        book.tell(.declined(book.arrive()))
        #expect(book.admission.attainedWork(of: TenantID(raw: 0)) == before)
    }

    @Test func `streams that break teach no short answers`() {
        var book = OutcomeBook()
        for _ in 0..<8 { book.serve() }
        let expected = book.expectedContext()
        for _ in 0..<2 {
            let id = book.arrive()
            book.tell(.attemptFailed(id, .serverError, beforeFirstByte: false))
        }
        #expect(book.expectedContext() == expected)
    }

    @Test func `an answer counts as one success`() {
        var book = OutcomeBook()
        for _ in 0..<2 {
            book.tell(.attemptFailed(book.arrive(), .serverError, beforeFirstByte: false))
        }
        for _ in 0..<5 { book.serve() }
        let last = book.arrive()
        book.tell(.endpointAdded(EndpointID(raw: 1), model: ModelID(raw: 0), ready: true))
        // The third failure of eight outcomes.
        book.tell(.attemptFailed(last, .serverError, beforeFirstByte: false))
        #expect(book.gauges?.isOpen == false)
    }

    @Test func `a whole answer that is abandoned costs what the engine has made of it`() {
        var book = OutcomeBook()
        for _ in 0..<8 { book.serve() }
        let before = book.admission.attainedWork(of: TenantID(raw: 0))
        let id = book.arrive(streams: false)
        book.pass(millis: 10_000)
        book.tell(.cancel(id))
        let work = book.admission.attainedWork(of: TenantID(raw: 0)) - before
        // Prompt tokens, and of what takes 20 ms each what fits into ten seconds.
        #expect(work > 100 + 4 * 300, "\(work)")
    }

    @Test func `a class that a reload has taken away is the lowest one that is left`() {
        var book = OutcomeBook()
        book.tell(.finish(book.arrive(classIndex: 5), usage: nil))
        #expect(book.refusals == 0)
    }
}

/// One model, driven by hand.
private struct OutcomeBook {
    private(set) var admission = Admission(plan: OverloadTests.plan, seed: 1)
    private(set) var refusals = 0
    private var actions = ActionBuffer()
    private var now = Instant(nanos: 1_000_000_000)
    private var lastID: UInt64 = 0

    init() {
        self.tell(.endpointAdded(EndpointID(raw: 0), model: ModelID(raw: 0), ready: true))
    }

    var gauges: EndpointGauges? { self.admission.gauges(of: EndpointID(raw: 0)) }

    mutating func tell(_ event: Event) {
        self.actions.removeAll()
        self.admission.step(event, now: self.now, into: &self.actions)
        for action in self.actions.actions {
            if case .refuse = action { self.refusals += 1 }
        }
        #expect(self.admission.audit(now: self.now) == [])
    }

    mutating func pass(millis: UInt64) {
        self.now = self.now.advanced(byNanos: millis * 1_000_000)
    }

    mutating func arrive(
        streams: Bool = true, classIndex: Int = 0, choices: UInt32 = 1
    ) -> RequestID {
        self.lastID += 1
        let id = RequestID(raw: self.lastID)
        var arrival = Arrival(
            request: id, model: ModelID(raw: 0), tenant: TenantID(raw: 0),
            classIndex: classIndex, promptBytes: 400, promptTokensExact: 100,
            streams: streams, promptHash: self.lastID)
        arrival.choices = choices
        self.tell(.arrive(arrival))
        return id
    }

    /// One whole stream: its first token after 100 ms, 50 tokens in all, 20 ms each.
    mutating func serve(choices: UInt32 = 1) {
        let id = self.arrive(choices: choices)
        self.pass(millis: 100)
        self.tell(.firstToken(id))
        self.pass(millis: 980)
        self.tell(.finish(id, usage: Usage(promptTokens: 100, outputTokens: 50 * choices)))
    }

    /// Tokens that a request without a limit is expected to hold.
    mutating func expectedContext(choices: UInt32 = 1) -> Double {
        let id = self.arrive(choices: choices)
        let tokens = self.gauges?.contextTokens ?? 0
        self.tell(.declined(id))
        return tokens
    }
}
