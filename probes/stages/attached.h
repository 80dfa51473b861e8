// What of the stages is attached in one process.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "probes/probe.h"

namespace nz::probes {

/// What a link is made from. The file is held open: another one may come to stand at its path.
struct StageWire {
  std::string program;
  std::shared_ptr<Fd> file;
  std::vector<loader::UprobeSite> sites;
};

struct StagesAttached {
  targets::Member member;
  std::vector<StageWire> wires;       ///< in the order in which they are attached
  std::vector<Fd> links;              ///< in the order in which they are to be closed
  std::map<uint32_t, nz_site> sites;  ///< what the links' cookies refer to
  std::set<std::string> not_mapped;   ///< stages whose library is not there (yet)
  std::vector<Status> status;
  std::string not_resumed;  ///< why the links are not there although it does not rest
};

}  // namespace nz::probes
