// A /proc and a /sys made by hand, and what the readers make of them.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "userspace/resources/context.h"

namespace nz::resources {

class FakeTree : public testing::Test {
 protected:
  FakeTree() {
    std::string pattern = (std::filesystem::temp_directory_path() / "nz-resources.XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    paths = {(root_ / "proc").string(), (root_ / "sys").string()};
    std::filesystem::create_directories(paths.proc);
    std::filesystem::create_directories(paths.sys);
  }
  ~FakeTree() override { std::filesystem::remove_all(root_); }

  /// `name` begins below the tree: "proc/stat".
  void file(const std::string& name, const std::string& content) const {
    const auto path = root_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
  }
  void folder(const std::string& name) const { std::filesystem::create_directories(root_ / name); }
  void link(const std::string& name, const std::string& to) const {
    std::filesystem::create_directories((root_ / name).parent_path());
    std::filesystem::create_symlink(to, root_ / name);
  }
  void remove(const std::string& name) const { std::filesystem::remove_all(root_ / name); }
  [[nodiscard]] std::string path(const std::string& name) const { return (root_ / name).string(); }

  /// Runs `work` with a context whose families are those of this call alone.
  template <class Work>
  void collect(const Work& work) {
    out.clear();
    Context context{buffer, errors, out};
    work(context);
    remove_empty(out);
  }

  /// The one value of this family with exactly these labels; nothing where there is none.
  [[nodiscard]] std::optional<double> value(const std::string& family,
                                            const metrics::Labels& labels = {}) const {
    std::optional<double> found;
    for (const metrics::Family& f : out) {
      if (f.name != family) continue;
      for (const metrics::Sample& s : f.samples) {
        if (s.labels != labels) continue;
        EXPECT_FALSE(found.has_value()) << family << " has two rows of the same labels";
        found = s.value;
      }
    }
    return found;
  }
  [[nodiscard]] size_t rows(const std::string& family) const {
    size_t n = 0;
    for (const metrics::Family& f : out) n += f.name == family ? f.samples.size() : 0;
    return n;
  }

  Paths paths;
  Buffer buffer;
  Errors errors;
  std::vector<metrics::Family> out;

 private:
  std::filesystem::path root_;
};

}  // namespace nz::resources
