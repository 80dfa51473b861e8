// A disk that fails, or loses its power, for SQLite: a VFS in front of the usual one.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace nz::store::testing {

class TestDisk {
 public:
  static constexpr const char* kName = "nz-test-disk";

  TestDisk() : real_(sqlite3_vfs_find(nullptr)), vfs_(*real_) {
    static_assert(sizeof(File) % 8 == 0);
    vfs_.zName = kName;
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
    vfs_.xOpen = &TestDisk::open;
    vfs_.xDelete = &TestDisk::remove;
    disk() = this;
    EXPECT_EQ(sqlite3_vfs_register(&vfs_, 0), SQLITE_OK);
  }
  TestDisk(const TestDisk&) = delete;
  TestDisk& operator=(const TestDisk&) = delete;
  ~TestDisk() {
    sqlite3_vfs_unregister(&vfs_);
    disk() = nullptr;
  }

  /// From now on every write and sync fails with `code`, or of `of` only one, at random; 0: none.
  void fail(int code, unsigned of = 1) {
    const std::lock_guard lock(mutex_);
    code_ = code;
    of_ = of;
  }
  [[nodiscard]] unsigned failed() const {
    const std::lock_guard lock(mutex_);
    return failed_;
  }

  /// From now on it is remembered what has not reached the platter. Nothing is synced really.
  void remember() {
    const std::lock_guard lock(mutex_);
    remembers_ = true;
  }
  /// The power goes at the operation with this number, counted from remember(); `told` is asked
  /// at that moment for what the writer had said to be safe.
  void cut_at(unsigned operation, std::function<std::int64_t()> told) {
    const std::lock_guard lock(mutex_);
    cut_at_ = operation;
    told_ = std::move(told);
  }
  [[nodiscard]] unsigned operations() const {
    const std::lock_guard lock(mutex_);
    return operations_;
  }
  /// What is left after the cut is written below `folder`: of what was not synced some sectors, at
  /// random. Gives what `told` had said; nothing where the power never went.
  std::optional<std::int64_t> what_is_left(const std::string& folder, std::mt19937& random) {
    const std::lock_guard lock(mutex_);
    if (!cut_) return std::nullopt;
    for (const auto& [path, platter] : cut_->files) {
      std::string content = platter.synced;
      for (const Operation& o : platter.pending) apply_some(content, o, random);
      std::ofstream(folder + path.substr(path.rfind('/'))) << content;
    }
    return cut_->told;
  }

 private:
  struct File {
    sqlite3_file base;
    sqlite3_file* real;
    std::string* path;
  };
  struct Operation {
    bool truncate = false;
    std::size_t at = 0;  // where, or the new length
    std::string bytes;
  };
  struct Platter {
    std::string synced;
    std::vector<Operation> pending;
  };
  struct Cut {
    std::map<std::string, Platter> files;
    std::int64_t told = 0;
  };

  static TestDisk*& disk() {
    static TestDisk* one = nullptr;
    return one;
  }
  static File* of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
  static sqlite3_file* real(sqlite3_file* file) { return of(file)->real; }

  static void apply(std::string& content, const Operation& o) {
    if (o.truncate) {
      content.resize(o.at);
      return;
    }
    if (content.size() < o.at + o.bytes.size()) content.resize(o.at + o.bytes.size());
    content.replace(o.at, o.bytes.size(), o.bytes);
  }
  static void apply_some(std::string& content, const Operation& o, std::mt19937& random) {
    constexpr std::size_t kSector = 512;
    if (o.truncate) {
      if (random() % 2 == 0) apply(content, o);
      return;
    }
    const unsigned luck = random() % 4;  // all of it, nothing, or some sectors
    for (std::size_t i = 0; i < o.bytes.size(); i += kSector) {
      if (luck == 0 || (luck != 1 && random() % 2 == 0))
        apply(content, {false, o.at + i, o.bytes.substr(i, kSector)});
    }
  }

  // Before an operation; not SQLITE_OK: it fails.
  int before(const std::string& path) {
    if (code_ != 0 && random_() % of_ == 0) {
      failed_++;
      return code_;
    }
    if (!remembers_ || path.empty()) return SQLITE_OK;
    if (++operations_ == cut_at_) cut_ = Cut{files_, told_()};
    return SQLITE_OK;
  }
  void note(const std::string& path, Operation operation) {
    if (remembers_ && !path.empty()) files_[path].pending.push_back(std::move(operation));
  }

  static int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
    TestDisk& d = *disk();
    File* f = of(file);
    f->base.pMethods = nullptr;
    f->real = reinterpret_cast<sqlite3_file*>(f + 1);
    f->path = nullptr;
    const int code = d.real_->xOpen(d.real_, name, f->real, flags, out);
    if (f->real->pMethods == nullptr) return code;
    f->path = new std::string(name == nullptr ? "" : name);
    f->base.pMethods = methods();
    const std::lock_guard lock(d.mutex_);
    if (d.remembers_ && name != nullptr && !d.files_.contains(*f->path)) {
      std::ifstream in(*f->path, std::ios::binary);
      d.files_[*f->path].synced.assign(std::istreambuf_iterator<char>(in), {});
    }
    return code;
  }
  static int remove(sqlite3_vfs*, const char* name, int sync) {
    TestDisk& d = *disk();
    const std::lock_guard lock(d.mutex_);
    d.files_.erase(name);
    return d.real_->xDelete(d.real_, name, sync);
  }
  static int close(sqlite3_file* file) {
    delete of(file)->path;
    return real(file)->pMethods->xClose(real(file));
  }
  static int write(sqlite3_file* file, const void* bytes, int n, sqlite3_int64 at) {
    TestDisk& d = *disk();
    const std::lock_guard lock(d.mutex_);
    if (const int code = d.before(*of(file)->path); code != SQLITE_OK) return code;
    d.note(*of(file)->path,
           {false, static_cast<std::size_t>(at),
            std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(n))});
    return real(file)->pMethods->xWrite(real(file), bytes, n, at);
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 length) {
    TestDisk& d = *disk();
    const std::lock_guard lock(d.mutex_);
    if (const int code = d.before(*of(file)->path); code != SQLITE_OK) return code;
    d.note(*of(file)->path, {true, static_cast<std::size_t>(length), {}});
    return real(file)->pMethods->xTruncate(real(file), length);
  }
  static int sync(sqlite3_file* file, int flags) {
    TestDisk& d = *disk();
    const std::lock_guard lock(d.mutex_);
    if (const int code = d.before(*of(file)->path); code != SQLITE_OK) return code;
    if (!d.remembers_) return real(file)->pMethods->xSync(real(file), flags);
    Platter& platter = d.files_[*of(file)->path];
    for (const Operation& o : platter.pending) apply(platter.synced, o);
    platter.pending.clear();
    return SQLITE_OK;
  }

  static const sqlite3_io_methods* methods() {
    static const sqlite3_io_methods all = [] {
      sqlite3_io_methods m{};
      m.iVersion = 2;  // with shared memory, without mapped files
      m.xClose = &TestDisk::close;
      m.xRead = [](sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
        return real(f)->pMethods->xRead(real(f), to, n, at);
      };
      m.xWrite = &TestDisk::write;
      m.xTruncate = &TestDisk::truncate;
      m.xSync = &TestDisk::sync;
      m.xFileSize = [](sqlite3_file* f, sqlite3_int64* n) {
        return real(f)->pMethods->xFileSize(real(f), n);
      };
      m.xLock = [](sqlite3_file* f, int l) { return real(f)->pMethods->xLock(real(f), l); };
      m.xUnlock = [](sqlite3_file* f, int l) { return real(f)->pMethods->xUnlock(real(f), l); };
      m.xCheckReservedLock = [](sqlite3_file* f, int* out) {
        return real(f)->pMethods->xCheckReservedLock(real(f), out);
      };
      m.xFileControl = [](sqlite3_file* f, int op, void* arg) {
        return real(f)->pMethods->xFileControl(real(f), op, arg);
      };
      m.xSectorSize = [](sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); };
      m.xDeviceCharacteristics = [](sqlite3_file* f) {
        return real(f)->pMethods->xDeviceCharacteristics(real(f));
      };
      m.xShmMap = [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
        return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
      };
      m.xShmLock = [](sqlite3_file* f, int offset, int n, int flags) {
        return real(f)->pMethods->xShmLock(real(f), offset, n, flags);
      };
      m.xShmBarrier = [](sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); };
      m.xShmUnmap = [](sqlite3_file* f, int gone) {
        return real(f)->pMethods->xShmUnmap(real(f), gone);
      };
      return m;
    }();
    return &all;
  }

  sqlite3_vfs* const real_;
  sqlite3_vfs vfs_;
  mutable std::mutex mutex_;
  std::mt19937 random_{7};
  int code_ = 0;
  unsigned of_ = 1, failed_ = 0;
  bool remembers_ = false;
  unsigned operations_ = 0, cut_at_ = 0;
  std::function<std::int64_t()> told_;
  std::map<std::string, Platter> files_;
  std::optional<Cut> cut_;
};

}  // namespace nz::store::testing
