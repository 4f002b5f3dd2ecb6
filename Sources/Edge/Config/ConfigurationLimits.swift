/// Every bound of the loader. What goes beyond one is a fault that names it.
package enum ConfigurationLimits {
    /// A larger file is refused before it is read.
    package static let fileBytesMax = 1 << 20
    /// Files in one load.
    package static let filesMax = 1024
    /// Documents in one file.
    package static let documentsMax = 4096
    /// Scalars, lists and maps in one file.
    package static let nodesMax = 100_000
    /// Lists and maps inside one another.
    package static let depthMax = 64
    /// Faults listed; the rest are counted.
    package static let faultsMax = 500
    /// Classes of one model.
    package static let classesMax = 16
    /// Steps of one degrade ladder.
    package static let ladderStepsMax = 16
    /// Characters of a value quoted in a message.
    package static let quotedCharactersMax = 40
    /// Bytes of a file that holds a secret.
    package static let secretBytesMax = 64 << 10
}
