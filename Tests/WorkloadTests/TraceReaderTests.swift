import Testing
import Workload

@Suite("Trace readers")
struct TraceReaderTests {
    private let azureHeader = "TIMESTAMP,ContextTokens,GeneratedTokens\n"
    private let csvHeader = "arrival_s,input_tokens,output_tokens\n"

    @Test("an Azure row gives its calendar time in nanoseconds")
    func azure() throws {
        let rows = try readAll(.azure, azureHeader + "2023-11-16 18:17:03.9799600,4808,10\n")
        // 2023-11-16 18:17:03 UTC is 1,700,158,623 seconds after 1970.
        #expect(rows.map(\.atNanos) == [1_700_158_623_979_960_000])
        #expect(rows[0].inputTokens == 4_808 && rows[0].outputTokens == 10)
    }

    @Test("calendar times across leap days and years are right")
    func calendar() throws {
        let rows = try readAll(
            .azure,
            azureHeader + """
                1970-01-01 00:00:00,1,1
                2000-02-29T23:59:59Z,1,1
                2000-03-01 00:00:00+00:00,1,1
                2024-12-31 23:59:59.5,1,1
                2025-01-01 00:00:00,1,1
                """)
        #expect(
            rows.map { $0.atNanos / 1_000_000 } == [
                0, 951_868_799_000, 951_868_800_000, 1_735_689_599_500, 1_735_689_600_000,
            ])
    }

    @Test("columns may stand in any order, and Azure's others are ignored")
    func columnOrder() throws {
        let rows = try readAll(
            .azure, "x,GeneratedTokens,TIMESTAMP,ContextTokens\n9,2,2024-01-01 00:00:00,3\n")
        #expect(rows[0].inputTokens == 3 && rows[0].outputTokens == 2)
    }

    @Test("plain CSV has tenants, classes, prefixes and quoted fields")
    func plain() throws {
        let rows = try readAll(
            .csv,
            """
            arrival_s,input_tokens,output_tokens,tenant,class,prefix
            0,10,5,"search, team",batch,1 2 18446744073709551615
            1.25,11,0,,,
            """)
        #expect(
            rows == [
                Arrival(
                    atNanos: 0, inputTokens: 10, outputTokens: 5, tenant: "search, team",
                    serviceClass: "batch", prefixHashes: [1, 2, .max]),
                Arrival(atNanos: 1_250_000_000, inputTokens: 11, outputTokens: 0),
            ])
    }

    @Test("a Mooncake row gives milliseconds and block hashes; other fields are passed over")
    func mooncake() throws {
        let rows = try readAll(
            .mooncake,
            """
            {"timestamp": 27.5, "input_length": 600, "output_length": 3, "hash_ids": [0, 7]}
            {"type":"a \\" b","timestamp":30,"hash_ids":[],"turn":-1.5e3,"ok":null,\
            "input_length":1,"output_length":0}
            """)
        #expect(
            rows == [
                Arrival(
                    atNanos: 27_500_000, inputTokens: 600, outputTokens: 3, prefixHashes: [0, 7]),
                Arrival(atNanos: 30_000_000, inputTokens: 1, outputTokens: 0),
            ])
    }

    @Test("BOM, CRLF, empty lines and any chunk size change nothing", arguments: [1, 2, 7, 1_000])
    func lineEnds(chunk: Int) throws {
        let plain = try readAll(.csv, csvHeader + "0,1,2\n3,4,5\n")
        let dressed = try readAll(
            .csv, "\u{feff}arrival_s,input_tokens,output_tokens\r\n\r\n0,1,2\r\n \r\n3,4,5",
            chunk: chunk)
        #expect(plain == dressed)
    }

    @Test(
        "bad rows name the line and the field",
        arguments: [
            ("0,1\n", 2, "2 fields where the header has 3 columns"),
            ("0,1,2\n\n1,-5,2\n", 4, "input_tokens is \"-5\""),
            ("0,1,2\n1,1,1000000000\n", 3, "output_tokens is 1000000000; more than 10000000"),
            ("5,1,1\n4.9,1,1\n", 3, "arrives before the one above"),
            ("-1,1,1\n", 2, "arrival_s is \"-1\"; expected seconds"),
            ("1e3,1,1\n", 2, "arrival_s is \"1e3\""),
            ("nan,1,1\n", 2, "arrival_s is \"nan\""),
            ("0,0,1\n", 2, "input_tokens is 0"),
            ("0,99999999999999999999999,1\n", 2, "input_tokens is \"99999999999999999999999\""),
            ("0,,1\n", 2, "input_tokens is \"\""),
            ("\"0,1,1\n", 2, "quoted field"),
            ("99999999999999,1,1\n", 2, "arrival_s is"),
            ("", 0, "no requests"),
        ])
    func badRows(rows: String, line: Int, message: String) {
        let found = fault(.csv, csvHeader + rows)
        #expect(found?.line == line)
        #expect(found?.message.contains(message) == true, "\(found?.description ?? "no fault")")
    }

    @Test(
        "bad headers name the column",
        arguments: [
            (TraceFormat.csv, "arrival_s,input_tokens\n0,1\n", "lacks the column output_tokens"),
            (.csv, "arrival_s,input_tokens,output_tokens,tenat\n", "\"tenat\" is not known"),
            (.csv, "tenant,tenant\n", "tenant is there twice"),
            (.azure, "0,1,2\n", "lacks the column TIMESTAMP"),
            (.azure, "", "the trace is empty"),
        ])
    func badHeaders(format: TraceFormat, text: String, message: String) {
        let found = fault(format, text)
        #expect(found?.message.contains(message) == true, "\(found?.description ?? "no fault")")
    }

    @Test(
        "bad calendar times are refused",
        arguments: [
            "2023-13-01 00:00:00", "2023-02-29 00:00:00", "2023-01-01 24:00:00", "2023-01-01",
            "2023-01-01 00:00:61", "23-01-01 00:00:00", "2023-01-01 00:00:00+02:00",
        ])
    func badTimes(text: String) {
        #expect(fault(.azure, azureHeader + "\(text),1,1\n")?.line == 2)
    }

    @Test(
        "bad Mooncake rows name the line and the reason",
        arguments: [
            (#"{"timestamp": 1, "input_length": 5, "output_"#, "truncated"),
            (#"{"timestamp": 1, "input_length": 5}"#, "lacks output_length"),
            (#"{"timestamp": -1, "input_length": 5, "output_length": 1}"#, "timestamp is \"-1\""),
            (#"{"timestamp": 1, "timestamp": 1}"#, "timestamp is there twice"),
            (#"{"hash_ids": [1, "a"]}"#, "hash_ids is"),
            (#"{"hash_ids": [1 2]}"#, "in hash_ids"),
            (#"{"x": {"y": 1}}"#, "expected a number, text"),
            (#"{"timestamp": 1} 2"#, "the end of the line"),
            ("[]", "expected a JSON object"),
            (#"{"a\"#, "end of a string"),
        ])
    func badJSON(row: String, message: String) {
        let good = #"{"timestamp": 0, "input_length": 5, "output_length": 1, "hash_ids": []}"#
        let found = fault(.mooncake, good + "\n" + row)
        #expect(found?.line == 2)
        #expect(found?.message.contains(message) == true, "\(found?.description ?? "no fault")")
    }

    @Test("a line without end is refused before memory fills")
    func endlessLine() {
        let piece = [UInt8](repeating: UInt8(ascii: "1"), count: 65_536)
        var given = 0
        var reader = TraceReader(format: .mooncake) {
            given += 1
            return piece
        }
        #expect(throws: TraceFault.self) { try reader.next() }
        #expect(given < 20)
    }

    @Test("garbage never crashes a reader", arguments: TraceFormat.allCases)
    func garbage(format: TraceFormat) throws {
        let marks = Array("{}[]:,\"\\0123456789.-e \r\ntimestampinput_lengthoutput_length".utf8)
        var state: UInt64 = 1
        for _ in 0..<2_000 {
            var bytes: [UInt8] = []
            for _ in 0..<60 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes.append(marks[Int((state >> 33) % UInt64(marks.count))])
            }
            _ = try? readAll(format, bytes, chunk: 13)
        }
    }
}

@Suite("Real traces")
struct RealTraceTests {
    @Test(
        "the real traces are read whole",
        .enabled(if: realTrace("README.md") != nil, "the traces are not beside the project"),
        arguments: [
            ("azure/AzureLLMInferenceTrace_conv.csv", 19_366, 22_361_870, 4_088_665, 0),
            ("azure/AzureLLMInferenceTrace_code.csv", 8_819, 18_059_974, 245_896, 0),
            ("mooncake/conversation_trace.jsonl", 12_031, 144_793_823, 4_122_048, 288_500),
        ])
    func real(path: String, rows: Int, input: Int, output: Int, hashes: Int) throws {
        let bytes = try #require(realTrace(path))
        let format: TraceFormat = path.hasPrefix("azure") ? .azure : .mooncake
        var stream = ArrivalStream(format: format, source: chunks(bytes, of: 65_536))
        var count = 0
        var sums = (input: 0, output: 0, hashes: 0)
        var last: UInt64 = 0
        while let arrival = try stream.next() {
            if count == 0 { #expect(arrival.atNanos == 0) }
            count += 1
            sums.input += arrival.inputTokens
            sums.output += arrival.outputTokens
            sums.hashes += arrival.prefixHashes.count
            last = arrival.atNanos
        }
        #expect(count == rows)
        #expect(sums == (input, output, hashes))
        // All three cover a little less than an hour.
        #expect((3_400_000_000_000...3_600_000_000_000).contains(last))
    }
}
