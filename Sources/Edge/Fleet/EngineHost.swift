package import Budget

/// Where replicas run: child processes of this machine, or whatever else can be asked for one.
package protocol EngineHost: AnyObject {
    /// Asks for one replica; it listens from now on and is not ready yet.
    ///
    /// Throws when none can be had.
    func start() throws -> EngineEndpoint

    /// Ends a replica that has nothing left to do.
    func stop(_ endpoint: EngineEndpoint)

    /// Whether it is still there, ready or not.
    func isAlive(_ endpoint: EngineEndpoint) -> Bool
}
