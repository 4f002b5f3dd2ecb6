"""What `Benchmarks/evidence` is made of: runs of the twin, the pairs it runs, pages and charts."""
