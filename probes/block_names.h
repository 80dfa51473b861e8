// Names of disks and of what is done to them, as `nearzero trace` and metrics show them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nz::probes {

/// "read", "write", ...; `op` is an enum nz_block_op.
const char* block_op_name(uint32_t op);

/// "vda" for NZ_BLOCK_NUMBER(254, 0); "254:0" where it is gone. Reads `sys`/dev/block.
std::string block_device_name(uint64_t number, const std::string& sys = "/sys");

/// The whole disks that are there, as NZ_BLOCK_NUMBER: real ones first, then what is made of files
/// and memory (loop, ram, zram). Reads `sys`/block.
std::vector<uint64_t> block_devices(const std::string& sys = "/sys");

}  // namespace nz::probes
