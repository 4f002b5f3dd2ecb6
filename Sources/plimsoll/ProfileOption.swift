import EngineModel
import Replay

/// `--profile` of every command: a measured engine by its name, or one in a file.
enum ProfileOption {
    /// Names of the known profiles, and what a file is.
    static let help = EngineProfile.all.map(\.name).joined(separator: ", ") + ", or FILE.json"

    /// The profile of this name, the 8B one for none. What holds a slash or ends in `.json` is a
    /// file.
    static func profile(named text: String?) throws(UsageError) -> EngineProfile {
        guard let text else { return .llama31With8B }
        if ProfileFile.isPath(text) {
            do throws(ReplayFault) {
                return try ProfileFile.read(text)
            } catch {
                throw UsageError("--profile: \(error.message)")
            }
        }
        guard let profile = EngineProfile.named(text) else {
            let near = Spelling.nearest(text, among: EngineProfile.all.map(\.name))
            throw UsageError(
                "--profile '\(text)' is none of \(Self.help)"
                    + (near.map { "; did you mean '\($0)'?" } ?? ""))
        }
        return profile
    }
}
