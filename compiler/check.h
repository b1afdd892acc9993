// How migrated-check marks what it has seen.
#pragma once

namespace migrated {

// On each defined function that has been checked.
constexpr const char *CheckedAttr = "migrated-checked";
// On each defined function of libc and kernel: -migrated-system.
constexpr const char *SystemAttr = "migrated-system";
// First string of each node in !migrated.units. It changes when older objects must be refused.
constexpr const char *UnitMark = "migrated unit 1";

} // namespace migrated
