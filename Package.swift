// swift-tools-version: 6.2
// The manifest lists the rooms of ARCHITECTURE.md, a target each; arrows run down only.
import PackageDescription

/// Settings of every target: Swift 6 mode, explicit imports, warnings are errors.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .treatAllWarnings(as: .error),
]

/// Policy and Twin hold no unsafe code at all.
let pure: [SwiftSetting] = strict + [.strictMemorySafety()]

func policy(
    _ name: String, _ dependencies: [Target.Dependency] = [], linking libraries: [String] = []
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Sources/Policy/\(name)",
        swiftSettings: pure, linkerSettings: libraries.map { .linkedLibrary($0) })
}

func twin(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Sources/Twin/\(name)", swiftSettings: pure)
}

/// The rooms of the request path keep the run-time exclusivity checks in debug builds, where every
/// test and sanitizer runs; in release builds they are a fifth of the instructions of a request.
let hot: [SwiftSetting] =
    strict + [
        .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))
    ]

func edge(
    _ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = [],
    settings: [SwiftSetting] = strict
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Sources/Edge/\(name)", resources: resources,
        swiftSettings: settings)
}

func tests(
    _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [],
    resources: [Resource] = []
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, exclude: exclude, resources: resources,
        swiftSettings: strict)
}

func library(_ name: String, _ pkgConfig: String, _ package: String) -> Target {
    .systemLibrary(
        name: name, path: "Sources/System/\(name)", pkgConfig: pkgConfig,
        providers: [.apt([package])])
}

let package = Package(
    name: "plimsoll",
    products: [.executable(name: "plimsoll", targets: ["plimsoll"])],
    targets: [
        // System: C libraries as modules.
        library("CUV", "libuv", "libuv1-dev"),
        library("COpenSSL", "openssl", "libssl-dev"),
        library("CYAML", "yaml-0.1", "libyaml-dev"),
        library("CZlib", "zlib", "zlib1g-dev"),
        .target(
            name: "CSimdjson", path: "Sources/System/CSimdjson",
            linkerSettings: [.linkedLibrary("simdjson")]),

        // Policy: pure decisions.
        policy("Time"),
        policy("Budget"),
        // The standard library's own rounding and square root call libm.
        policy("Statistics", ["Time"], linking: ["m"]),
        policy("RequestPath", ["Time", "Statistics"]),
        policy("Report", ["Time", "Statistics"]),
        policy("Scaling", ["Time", "Statistics"]),
        policy("Planning", ["Budget", "RequestPath", "Scaling"]),

        // Twin: virtual time.
        twin("EngineModel", ["Time", "Statistics"]),
        twin("Workload", ["Time", "Statistics"]),
        twin("Baselines", ["RequestPath", "Statistics", "Time"]),
        twin("Scalers", ["Scaling", "Time"]),
        twin(
            "World",
            [
                "Baselines", "EngineModel", "Report", "RequestPath", "Scalers", "Scaling",
                "Statistics", "Time", "Workload",
            ]),

        // Edge: real time, real I/O.
        edge("Wire", ["CSimdjson"], settings: hot),
        edge("EventLoop", ["CUV", "COpenSSL", "Time"], settings: hot),
        edge("HTTP", ["Wire", "EventLoop", "Time"], settings: hot),
        edge("Config", ["Budget", "CYAML", "COpenSSL"]),
        edge("ScalingLint", ["Budget", "Config"]),

        edge(
            "SimulatedEngine", ["EngineModel", "EventLoop", "HTTP", "Statistics", "Time", "Wire"]),
        edge("Engines", ["Budget", "RequestPath", "Wire"]),
        edge(
            "Gateway",
            [
                "Budget", "Config", "Engines", "EventLoop", "HTTP", "Planning", "RequestPath",
                "Time", "Wire",
            ], settings: hot),
        edge("Telemetry", ["EventLoop"]),
        edge(
            "Fleet", ["Budget", "Gateway", "Report", "RequestPath", "Scaling", "Time"]),
        edge(
            "Console",
            [
                "Budget", "EventLoop", "Gateway", "HTTP", "Report", "RequestPath", "Telemetry",
                "Time", "Wire",
            ], resources: [.embedInCode("Resources")]),

        edge(
            "Replay",
            [
                "Budget", "CZlib", "EngineModel", "EventLoop", "HTTP", "Report", "Statistics",
                "Time", "Wire", "Workload",
            ]),

        .executableTarget(
            name: "plimsoll",
            dependencies: [
                "Baselines", "Budget", "Config", "Console", "EngineModel", "EventLoop", "Fleet",
                "Gateway", "HTTP", "Planning", "Replay", "Report", "RequestPath", "Scalers",
                "Scaling", "ScalingLint", "SimulatedEngine", "Telemetry", "Time", "Wire",
                "Workload", "World",
            ],
            swiftSettings: strict),

        tests("BudgetTests", ["Budget"]),
        tests("ConfigTests", ["Config", "Budget"], resources: [.copy("Transcripts")]),
        tests(
            "ScalingLintTests", ["Budget", "Config", "ScalingLint"],
            resources: [.copy("Transcripts")]),
        tests("WireTests", ["Wire"]),
        tests("EventLoopTests", ["EventLoop", "Time"]),
        // The sockets of tests: blocking clients and peers that break every rule.
        .target(name: "TestSockets", path: "Tests/TestSockets", swiftSettings: strict),
        tests("HTTPTests", ["EventLoop", "HTTP", "TestSockets", "Time", "Wire"]),
        tests("EnginesTests", ["Budget", "Engines", "RequestPath"]),
        tests(
            "GatewayTests",
            [
                "Budget", "Config", "EventLoop", "Gateway", "HTTP", "RequestPath", "TestSockets",
                "Time", "Wire",
            ]),
        tests("StatisticsTests", ["Statistics", "Time"]),
        tests("EngineModelTests", ["EngineModel", "Statistics", "Time"]),
        tests("ScalersTests", ["Scalers", "Scaling", "Time"]),
        tests(
            "WorldTests",
            [
                "Baselines", "EngineModel", "Report", "RequestPath", "Scalers", "Scaling",
                "Statistics", "Time", "Workload", "World",
            ]),
        tests("WorkloadTests", ["Workload", "Statistics", "Time"]),
        tests("BaselinesTests", ["Baselines", "RequestPath", "Statistics", "Time"]),
        tests("ReportTests", ["Report", "Statistics"]),
        tests("ScalingTests", ["Scaling", "Statistics", "Time"]),
        tests(
            "FleetTests",
            [
                "Budget", "Config", "EngineModel", "EventLoop", "Fleet", "Gateway", "HTTP",
                "RequestPath", "Scaling", "SimulatedEngine", "TestSockets", "Time",
            ]),
        tests(
            "ReplayTests",
            [
                "Budget", "EngineModel", "EventLoop", "HTTP", "Replay", "Report",
                "SimulatedEngine", "Statistics", "Time", "Wire", "Workload",
            ]),
        tests("TelemetryTests", ["Telemetry", "Wire"]),
        tests(
            "ConsoleTests",
            [
                "Budget", "Config", "Console", "EventLoop", "Gateway", "HTTP", "RequestPath",
                "Telemetry", "Time", "Wire",
            ]),
        tests("TidyTests", []),
        tests("RequestPathTests", ["RequestPath", "Time"], exclude: ["Transcripts"]),
    ],
    cxxLanguageStandard: .cxx17
)

// The programs of Benchmarks/evidence, which sets the variable: nobody else needs them built.
if Context.environment["PLIMSOLL_BENCHMARKS"] != nil {
    package.targets.append(
        .executableTarget(
            name: "DecisionCost", dependencies: ["RequestPath", "Statistics", "Time"],
            path: "Benchmarks/decision", swiftSettings: strict))
}

/// A libFuzzer target of scripts/fuzz, which sets the variable: libFuzzer brings its own `main`.
func fuzz(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: "Fuzz\(name)", dependencies: dependencies, path: "Tests/Fuzz/\(name)",
        exclude: ["corpus"], swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])])
}

if Context.environment["PLIMSOLL_FUZZ"] != nil {
    package.targets += [
        fuzz("RequestHead", ["Wire"]),
        fuzz("ResponseHead", ["Wire"]),
        fuzz("Events", ["Wire"]),
        fuzz("RequestBody", ["Wire"]),
        fuzz("Form", ["Wire"]),
        fuzz("Metrics", ["Budget", "Engines", "RequestPath", "Wire"]),
        fuzz("Budget", ["Budget", "Config"]),
        fuzz("Manifests", ["Config", "ScalingLint"]),
    ]
}
