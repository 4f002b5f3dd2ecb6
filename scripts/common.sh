# Sourced by the scripts beside it: strict mode, the package root as working folder, and words.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# A line about progress, on stderr so that standard output stays the program's.
say() { printf 'plimsoll: %s\n' "$*" >&2; }

# Ends the script with what went wrong and what to do.
die() { say "$*"; exit 1; }

# The test targets that know no clock but a simulated one.
virtual_time='RequestPathTests|WorkloadTests|EngineModelTests|StatisticsTests|ReportTests|BudgetTests'
virtual_time="$virtual_time|BaselinesTests|WorldTests|ScalingTests|ScalersTests"

# The one set of release flags. Without cross-module optimisation beyond the toolchain's default:
# `-enable-cmo-everything` emits the same specialisation into several modules, which does not link.
# Hot generics therefore stay in the module that uses them, or are `@inlinable`.
release_flags=(-c release --static-swift-stdlib -Xlinker --gc-sections)
