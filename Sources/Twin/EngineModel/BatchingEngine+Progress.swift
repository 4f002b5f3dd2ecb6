extension BatchingEngine {
    /// Tokens of the answer that are out, those of earlier steps whose events were not told
    /// included; zero for a sequence it does not hold.
    package func producedTokens(of id: SequenceID) -> Int {
        slotByID[id].map { slab[Int($0)].produced } ?? 0
    }
}
