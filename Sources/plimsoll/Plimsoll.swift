import Glibc

/// The front door: finds the command and runs it.
@main
enum Plimsoll {
    static let version = "0.1.0"

    /// In the order help shows them.
    static var commands: [any Command.Type] {
        [
            UpCommand.self, CheckCommand.self, KeyCommand.self, GatewayCommand.self,
            EngineCommand.self, CalibrateCommand.self, ReplayCommand.self, SimulateCommand.self,
            PlanCommand.self, DecisionsCommand.self, LintScalingCommand.self,
        ]
    }

    static func main() {
        // A peer that closes early is an error of that connection, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        let words = Array(CommandLine.arguments.dropFirst())
        guard let name = words.first, name != "help", name != "--help", name != "-h" else {
            if let (command, _) = Self.command(in: words.dropFirst()) {
                Console.out(command.synopsis.help)
            } else {
                Console.out(Self.help)
            }
            exit(ExitCode.fine)
        }
        if name == "--version" || name == "version" {
            Console.out("plimsoll \(Self.version)")
            exit(ExitCode.fine)
        }
        guard let (command, rest) = Self.command(in: words[...]) else {
            let near = Spelling.nearest(name, among: Self.commands.map { $0.synopsis.name })
            Console.fail(
                "plimsoll: no command '\(name)'" + (near.map { "; did you mean '\($0)'?" } ?? "")
                    + "\nplimsoll --help lists the commands")
        }
        Self.run(command, Array(rest))
    }

    private static func run(_ command: any Command.Type, _ words: [String]) -> Never {
        if words.contains("--help") || words.contains("-h") {
            Console.out(command.synopsis.help)
            exit(ExitCode.fine)
        }
        do {
            let arguments = try Arguments(words, synopsis: command.synopsis)
            exit(try command.run(arguments))
        } catch let error as UsageError {
            Console.fail("plimsoll \(command.synopsis.name): \(error.message)")
        } catch {
            Console.fail("plimsoll \(command.synopsis.name): \(error)")
        }
    }

    /// The command that the words begin with, the one of two words first, and the words behind it.
    private static func command(
        in words: ArraySlice<String>
    ) -> (command: any Command.Type, rest: ArraySlice<String>)? {
        for count in [2, 1] where words.count >= count {
            let name = words.prefix(count).joined(separator: " ")
            if let command = Self.commands.first(where: { $0.synopsis.name == name }) {
                return (command, words.dropFirst(count))
            }
        }
        return nil
    }

    private static var help: String {
        var text = """
            plimsoll \(Self.version): the load line for AI inference

            usage: plimsoll COMMAND [options]


            """
        for command in Self.commands {
            let name = command.synopsis.name
            text += "  " + name + String(repeating: " ", count: max(1, 18 - name.count))
            text += command.synopsis.summary + "\n"
        }
        text += """

            plimsoll COMMAND --help explains a command, with an example.
            Exit codes: 0 fine; 1 the answer is no; 2 wrong usage or input.
            """
        return text
    }
}

/// Exit codes of every command.
enum ExitCode {
    static let fine: Int32 = 0
    /// The answer is no: a budget broken, a finding.
    static let no: Int32 = 1
    /// Wrong usage or input.
    static let usage: Int32 = 2
}

/// One subcommand.
protocol Command {
    static var synopsis: Synopsis { get }
    /// Returns the exit code.
    static func run(_ arguments: Arguments) throws -> Int32
}
