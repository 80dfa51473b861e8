#include "userspace/base/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

namespace nz::base {
namespace {

// spdlog's patterns do not escape; this flag does.
class EscapedMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
              spdlog::memory_buf_t& out) override {
    const std::string text = json_escape({message.payload.data(), message.payload.size()});
    out.append(text.data(), text.data() + text.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<EscapedMessage>();
  }
};

}  // namespace

std::string json_escape(std::string_view text) {
  // Command names and SQL texts hold any bytes; what is not UTF-8 becomes U+FFFD.
  const std::string quoted =
      nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2);
}

Result<void> start_logging(const std::string& level, const std::string& file) {
  try {
    spdlog::drop("nearzero");  // a second start replaces the first
    auto logger = file.empty() ? spdlog::stderr_logger_mt("nearzero")
                               : spdlog::basic_logger_mt("nearzero", file);
    auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
    formatter->add_flag<EscapedMessage>('*').set_pattern(
        R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l","message":"%*"})");
    logger->set_formatter(std::move(formatter));
    logger->flush_on(spdlog::level::info);
    logger->set_level(spdlog::level::from_str(level));
    spdlog::set_default_logger(std::move(logger));
  } catch (const spdlog::spdlog_ex& e) {
    return fail(std::string("log: ") + e.what(), "choose another log.file");
  }
  return {};
}

}  // namespace nz::base
