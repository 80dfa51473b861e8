// nearzero man: manual pages in roff, made from the same texts as --help.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "userspace/base/exit_codes.h"
#include "userspace/commands/command.h"
#include "userspace/commands/output.h"

namespace nz::commands {
namespace {

// A line of text as roff: no request at its beginning, no escape inside.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  if (!out.empty() && (out[0] == '.' || out[0] == '\'')) out.insert(0, "\\&");
  return out;
}

std::string paragraph(const std::string& text) {
  std::string out;
  for (const std::string& line : CLI::detail::split(text, '\n')) out += escaped(line) + "\n";
  return out;
}

std::string options_of(const CLI::App& app) {
  std::string out;
  for (const CLI::Option* option : app.get_options()) {
    std::string head = option->get_name(option->get_positional(), true);
    std::replace(head.begin(), head.end(), ',', ' ');
    const bool value = option->get_items_expected_max() > 0 && !option->get_positional();
    out += fmt::format(".TP\n.B {}{}\n", escaped(head), value ? " VALUE" : "");
    out += escaped(option->get_description());
    if (!option->get_default_str().empty())
      out += escaped(fmt::format(" (default {})", option->get_default_str()));
    if (!option->get_envname().empty())
      out += escaped(fmt::format(" [environment: {}]", option->get_envname()));
    out += "\n";
  }
  return out;
}

// "Examples:" and what follows it, as the help text has them.
std::string footer_of(const CLI::App& app) {
  const std::string footer = app.get_footer();
  const size_t begin = footer.find("Examples:\n");
  if (begin == std::string::npos) return {};
  const size_t lines = begin + std::string("Examples:\n").size();
  const size_t end = footer.find("\n\n", lines);
  std::string out = ".SH EXAMPLES\n.nf\n" + paragraph(footer.substr(lines, end - lines)) + ".fi\n";
  if (end != std::string::npos) out += ".SH NOTES\n" + paragraph(footer.substr(end + 2));
  return out;
}

// What each subcommand of a subcommand takes.
std::string inner_commands(const CLI::App& of) {
  std::string out;
  for (const CLI::App* sub : of.get_subcommands({}))
    out += fmt::format(".SS {}\n{}\n{}", escaped(sub->get_name()), escaped(sub->get_description()),
                       options_of(*sub));
  return out.empty() ? out : ".SH SUBCOMMANDS\n" + out;
}

std::string page(const CLI::App& app, const CLI::App& of) {
  const bool whole = &of == &app;
  const std::string name = whole ? "nearzero" : "nearzero-" + of.get_name();
  std::string out =
      fmt::format(".TH {} 1 \"\" \"nearzero {}\" \"User Commands\"\n", escaped(name), NZ_VERSION);
  out += ".SH NAME\n" + escaped(name) + " \\- " + escaped(of.get_description()) + "\n";
  std::string synopsis = "nearzero";
  if (!whole) synopsis += " " + of.get_name();
  synopsis += " [OPTIONS]";
  if (whole) synopsis += " SUBCOMMAND";
  for (const CLI::Option* option : of.get_options()) {
    if (option->get_positional())
      synopsis += option->get_required() ? " " + option->get_name(true)
                                         : " [" + option->get_name(true) + "]";
  }
  out += ".SH SYNOPSIS\n.B " + escaped(synopsis) + "\n.SH OPTIONS\n" + options_of(of);
  if (whole) {
    out += ".SH SUBCOMMANDS\n";
    for (const CLI::App* sub : app.get_subcommands({}))
      out += fmt::format(".TP\n.BR nearzero\\-{} (1)\n{}\n", sub->get_name(),
                         escaped(sub->get_description()));
  } else {
    out += inner_commands(of);
  }
  return out + footer_of(of);
}

}  // namespace

Command add_man(CLI::App& app) {
  auto name = std::make_shared<std::string>();
  auto* sub = app.add_subcommand("man", "Print a manual page (roff), made from the help texts");
  sub->add_option("subcommand", *name, "Of this subcommand; nothing: of nearzero itself");
  sub->footer(examples({{"nearzero man | man -l -", "read it"},
                        {"nearzero man list > nearzero-list.1", "keep it"},
                        {"nearzero man check | man -l -", "a subcommand's"}}));
  return {sub, [name, &app]() -> int {
            const CLI::App* of = &app;
            if (!name->empty()) {
              const auto all =
                  app.get_subcommands([&](CLI::App* a) { return a->get_name() == *name; });
              if (all.empty())
                return report("man", Error{"no subcommand '" + *name + "'", "see nearzero --help"},
                              kUsage);
              of = all.front();
            }
            return print(page(app, *of));
          }};
}

}  // namespace nz::commands
