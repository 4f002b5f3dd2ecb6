import Config

/// `plimsoll key new`: a tenant's key and the record that stands for it in the budget.
enum KeyCommand: Command {
    static let synopsis = Synopsis(
        name: "key", summary: "make a tenant's key and its hash", usage: "new [--output json]",
        words: ["new"],
        options: [.init(name: "--output", value: "text|json", help: "how the result is printed")],
        example: "plimsoll key new",
        notes:
            "The key is shown once and kept nowhere: give it to the tenant, put the record into\n"
            + "spec.keys of its Tenant.")

    private struct Result: Encodable {
        var key: String
        var record: String
    }

    static func run(_ arguments: Arguments) throws -> Int32 {
        guard arguments.words == ["new"] else {
            throw UsageError("the only action is new: plimsoll key new")
        }
        let key = try TenantKey.generate()
        if try arguments.wantsJSON() {
            Console.out(try JSON.text(Result(key: key.token, record: key.yaml)))
        } else {
            Console.out("key:    \(key.token)\nrecord: \(key.yaml)")
        }
        return ExitCode.fine
    }
}
