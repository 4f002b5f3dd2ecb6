import Testing
import Workload

@Suite("Generators")
struct GeneratorTests {
    private func draw(_ text: String, seconds: Double, seed: UInt64 = 1) throws -> [Arrival] {
        guard case .generator(let spec) = try TraceSpec.parse(text) else { return [] }
        var transform = ArrivalStream.Transform()
        transform.durationNanos = UInt64(seconds * 1e9)
        var stream = ArrivalStream(spec: spec, seed: seed, transform: transform)
        var arrivals: [Arrival] = []
        while let arrival = try stream.next() { arrivals.append(arrival) }
        return arrivals
    }

    private func count(_ arrivals: [Arrival], from: Double, to: Double) -> Int {
        arrivals.count { $0.atNanos >= UInt64(from * 1e9) && $0.atNanos < UInt64(to * 1e9) }
    }

    /// Deviation / mean of the gaps.
    private func variation(_ arrivals: [Arrival]) -> Double {
        let gaps = zip(arrivals.dropFirst(), arrivals).map { Double($0.atNanos - $1.atNanos) }
        let mean = gaps.reduce(0, +) / Double(gaps.count)
        let square = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)
        return square.squareRoot() / mean
    }

    @Test(
        "renewal processes have their rate and their variation",
        arguments: [
            ("poisson:rate=50", 1.0), ("gamma:rate=50,cv=0.5", 0.5), ("gamma:rate=50,cv=2", 2.0),
            ("weibull:rate=50,cv=0.5", 0.5), ("weibull:rate=50,cv=2", 2.0),
        ])
    func renewal(text: String, expected: Double) throws {
        let arrivals = try draw(text, seconds: 1_000)
        #expect(abs(Double(arrivals.count) / 50_000 - 1) < 0.04)
        #expect(abs(variation(arrivals) / expected - 1) < 0.06)
    }

    @Test("arrivals are in order, and the same seed repeats them")
    func ordered() throws {
        for text in [
            "poisson:rate=9", "onoff:rate=9,on=3s,off=4s", "diurnal:rate=1,to=9,period=1m",
        ] {
            let arrivals = try draw(text, seconds: 200)
            #expect(zip(arrivals, arrivals.dropFirst()).allSatisfy { $0.atNanos <= $1.atNanos })
            #expect(try arrivals == draw(text, seconds: 200))
            #expect(try arrivals != draw(text, seconds: 200, seed: 2))
        }
    }

    @Test("a step is a step")
    func step() throws {
        let arrivals = try draw("step:rate=5,to=500,at=100s,for=20s", seconds: 220)
        #expect(abs(count(arrivals, from: 0, to: 100) - 500) < 80)
        #expect(abs(count(arrivals, from: 100, to: 120) - 10_000) < 400)
        #expect(abs(count(arrivals, from: 120, to: 220) - 500) < 80)
    }

    @Test("a ramp rises evenly and stays")
    func ramp() throws {
        let arrivals = try draw("ramp:rate=0,to=100,over=100s", seconds: 200)
        #expect(abs(count(arrivals, from: 0, to: 50) - 1_250) < 140)
        #expect(abs(count(arrivals, from: 50, to: 100) - 3_750) < 240)
        #expect(abs(count(arrivals, from: 100, to: 200) - 10_000) < 400)
    }

    @Test("a ramp to nothing ends")
    func rampDown() throws {
        let arrivals = try draw("ramp:rate=100,to=0,over=10s", seconds: 1e9)
        #expect(abs(arrivals.count - 500) < 90)
    }

    @Test("off means off, and the on periods have the whole rate")
    func onOff() throws {
        let arrivals = try draw("onoff:rate=100,on=10s,off=30s", seconds: 400)
        #expect(abs(arrivals.count - 10_000) < 400)
        #expect(arrivals.allSatisfy { $0.atNanos % 40_000_000_000 <= 10_000_000_001 })
    }

    @Test("a day has its low at the start and its high at noon")
    func diurnal() throws {
        let arrivals = try draw("diurnal:rate=10,to=90,period=100s", seconds: 1_000)
        #expect(abs(arrivals.count - 50_000) < 900)
        var low = 0
        var high = 0
        for day in 0..<10 {
            low += count(arrivals, from: Double(day) * 100, to: Double(day) * 100 + 5)
            high += count(arrivals, from: Double(day) * 100 + 47.5, to: Double(day) * 100 + 52.5)
        }
        // 50 seconds each, at close to 10 and 90 a second.
        #expect(abs(low - 530) < 100)
        #expect(abs(high - 4_490) < 250)
    }

    @Test("lengths and tenants follow the mix, and do not move the arrivals")
    func mix() throws {
        let plain = try draw("poisson:rate=50", seconds: 200)
        let mixed = try draw("poisson:rate=50,in=100-900,out=7,tenants=a:3+b", seconds: 200)
        #expect(plain.map(\.atNanos) == mixed.map(\.atNanos))
        #expect(plain.allSatisfy { $0.inputTokens == 512 && $0.outputTokens == 64 })
        #expect(mixed.allSatisfy { (100...900).contains($0.inputTokens) && $0.outputTokens == 7 })
        let mean = Double(mixed.reduce(0) { $0 + $1.inputTokens }) / Double(mixed.count)
        #expect(abs(mean - 500) < 10)
        let ofA = mixed.count { $0.tenant == "a" }
        #expect(abs(Double(ofA) / Double(mixed.count) - 0.75) < 0.02)
    }
}

@Suite("Arrival streams")
struct ArrivalStreamTests {
    private let text = "arrival_s,input_tokens,output_tokens\n100,1,1\n101,1,1\n105,1,1\n120,1,1\n"

    private func times(_ change: (inout ArrivalStream.Transform) -> Void) throws -> [UInt64] {
        var transform = ArrivalStream.Transform()
        change(&transform)
        var stream = ArrivalStream(
            format: .csv, transform: transform, source: chunks(Array(text.utf8), of: 10))
        var times: [UInt64] = []
        while let arrival = try stream.next() { times.append(arrival.atNanos / 1_000_000) }
        return times
    }

    @Test("the first arrival is at zero unless told otherwise")
    func zero() throws {
        #expect(try times { _ in } == [0, 1_000, 5_000, 20_000])
        #expect(try times { $0.startsAtZero = false } == [100_000, 101_000, 105_000, 120_000])
    }

    @Test("speed compresses time, and the duration counts compressed time")
    func speed() throws {
        #expect(try times { $0.speed = 10 } == [0, 100, 500, 2_000])
        let cut = try times { transform in
            transform.speed = 10
            transform.durationNanos = 500_000_000
        }
        #expect(cut == [0, 100])
    }
}

@Suite("Trace specifications")
struct TraceSpecTests {
    @Test("files and generators are told apart")
    func kinds() throws {
        #expect(try TraceSpec.parse("azure:a/b:c.csv") == .file(.azure, path: "a/b:c.csv"))
        #expect(
            try TraceSpec.parse("step:rate=5,to=50,at=500ms,for=2m,in=1-9")
                == .generator(
                    GeneratorSpec(
                        process: .step(rate: 5, peak: 50, atSeconds: 0.5, forSeconds: 120),
                        input: LengthRange(1, 9))))
    }

    @Test(
        "a bad specification names the field",
        arguments: [
            ("poisson", "trace \"poisson\" is not known"),
            ("azur:x.csv", "trace kind \"azur\" is not known"),
            ("azure:", "the name of a file is missing"),
            ("poisson:", "the field rate is missing"),
            ("poisson:rate=0", "rate is \"0\"; expected requests a second"),
            ("poisson:rate=nan", "rate is \"nan\""),
            ("poisson:rate=1e9", "rate is \"1e9\""),
            ("poisson:rate=5,rat=1", "has no field \"rat\"; it takes rate, in, out, tenants"),
            ("poisson:rate=5,rate=6", "rate is there twice"),
            ("poisson:rate=5,in=0", "in is \"0\""),
            ("poisson:rate=5,in=9-1", "in is \"9-1\""),
            ("poisson:rate=5,out=x", "out is \"x\""),
            ("poisson:rate=5,", "is not of the form field=value"),
            ("poisson:rate=5,tenants=a:0", "tenants is \"a:0\""),
            ("gamma:rate=5", "the field cv is missing"),
            ("gamma:rate=5,cv=100", "cv is \"100\""),
            ("onoff:rate=5,on=0s,off=1s", "on is \"0s\""),
            ("step:rate=5,to=50,at=10,for=2s", "at is \"10\"; expected a duration"),
            ("ramp:rate=0,to=0,over=1s", "both 0"),
        ])
    func faults(text: String, message: String) {
        do {
            _ = try TraceSpec.parse(text)
            Issue.record("\(text) was accepted")
        } catch {
            #expect(error.message.contains(message), "\(error.message)")
        }
    }
}
