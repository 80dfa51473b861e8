// nearzero completion: a shell's completion script, made from the same options as the help texts.
#include <fmt/format.h>

#include <memory>

#include "userspace/base/exit_codes.h"
#include "userspace/commands/command.h"
#include "userspace/commands/output.h"

namespace nz::commands {
namespace {

// What stands before the next option: words of fixed choice, or a file.
struct Flag {
  std::vector<std::string> names;  ///< "-f", "--format"
  std::string description;
  std::vector<std::string> choices;
  bool takes_value = false;
};

std::vector<Flag> flags_of(const CLI::App& app) {
  std::vector<Flag> flags;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) continue;
    Flag flag;
    for (const std::string& name : option->get_snames()) flag.names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) flag.names.push_back("--" + name);
    flag.description = option->get_description();
    flag.takes_value = option->get_items_expected_max() > 0;
    // CLI11 shows the members of a set as {a,b}.
    const std::string type = option->get_type_name();
    const size_t open = type.find('{');
    const size_t close = type.find('}');
    if (open != std::string::npos && close != std::string::npos)
      flag.choices = CLI::detail::split(type.substr(open + 1, close - open - 1), ',');
    flags.push_back(std::move(flag));
  }
  return flags;
}

std::string words(const std::vector<std::string>& parts, const char* between = " ") {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : between) + part;
  return text;
}

std::vector<std::string> names_of(const std::vector<Flag>& flags) {
  std::vector<std::string> names;
  for (const Flag& flag : flags) names.insert(names.end(), flag.names.begin(), flag.names.end());
  return names;
}

std::string bash(const CLI::App& app) {
  std::vector<std::string> subs;
  std::string cases;
  for (const CLI::App* sub : app.get_subcommands({})) {
    subs.push_back(sub->get_name());
    std::vector<std::string> inner;
    auto flags = flags_of(*sub);
    for (const CLI::App* one : sub->get_subcommands({})) {
      inner.push_back(one->get_name());
      for (Flag& flag : flags_of(*one)) flags.push_back(std::move(flag));
    }
    cases += fmt::format("    {})\n", sub->get_name());
    if (!inner.empty()) {
      cases += fmt::format(
          "      if ((COMP_CWORD == 2)); then COMPREPLY=($(compgen -W '{}' -- \"$word\")); return; "
          "fi\n",
          words(inner));
    }
    for (const Flag& flag : flags) {
      if (flag.choices.empty()) continue;
      cases += fmt::format(
          "      case $before in {})\n        COMPREPLY=($(compgen -W '{}' -- \"$word\")); return "
          ";;\n"
          "      esac\n",
          words(flag.names, "|"), words(flag.choices));
    }
    cases += fmt::format("      words='{}' ;;\n", words(names_of(flags)));
  }
  return fmt::format(
      "# bash completion for nearzero; load with: source <(nearzero completion bash)\n"
      "_nearzero() {{\n"
      "  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} words\n"
      "  COMPREPLY=()\n"
      "  if ((COMP_CWORD == 1)); then\n"
      "    COMPREPLY=($(compgen -W '{} {}' -- \"$word\"))\n"
      "    return\n"
      "  fi\n"
      "  case ${{COMP_WORDS[1]}} in\n{}"
      "    *) words='' ;;\n"
      "  esac\n"
      "  if [[ $word == -* ]]; then\n"
      "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
      "  else\n"
      "    COMPREPLY=($(compgen -f -- \"$word\"))\n"
      "  fi\n"
      "}}\n"
      "complete -o filenames -F _nearzero nearzero\n",
      words(subs), words(names_of(flags_of(app))), cases);
}

// Single quotes inside single quotes, and what _arguments and fish take for syntax.
std::string quoted(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'')
      out += "'\\''";
    else if (c == '[' || c == ']' || c == ':')
      out += std::string("\\") + c;
    else
      out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string zsh(const CLI::App& app) {
  std::string subs;
  std::string cases;
  for (const CLI::App* sub : app.get_subcommands({})) {
    subs += fmt::format("    '{}:{}'\n", sub->get_name(), quoted(sub->get_description()));
    cases += fmt::format("    {})\n      _arguments -s \\\n", sub->get_name());
    for (const Flag& flag : flags_of(*sub)) {
      const std::string value = !flag.takes_value      ? ""
                                : flag.choices.empty() ? ":value:_files"
                                                       : ":value:(" + words(flag.choices) + ")";
      for (const std::string& name : flag.names)
        cases += fmt::format("        '{}[{}]{}' \\\n", name, quoted(flag.description), value);
    }
    cases += "        '*:what:_files' ;;\n";
  }
  return fmt::format(
      "#compdef nearzero\n"
      "# zsh completion for nearzero; put it into a folder of $fpath as _nearzero\n"
      "_nearzero() {{\n"
      "  local -a subs=(\n{}  )\n"
      "  if ((CURRENT == 2)); then\n"
      "    _describe 'subcommand' subs\n"
      "    return\n"
      "  fi\n"
      "  local sub=$words[2]\n"
      "  shift words; ((CURRENT--))\n"
      "  case $sub in\n{}"
      "  esac\n"
      "}}\n"
      "compdef _nearzero nearzero\n",
      subs, cases);
}

std::string fish_quoted(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string fish(const CLI::App& app) {
  std::string out =
      "# fish completion for nearzero; load with: nearzero completion fish | source\n";
  for (const CLI::App* sub : app.get_subcommands({})) {
    out += fmt::format("complete -c nearzero -n __fish_use_subcommand -f -a {} -d '{}'\n",
                       sub->get_name(), fish_quoted(sub->get_description()));
    for (const Flag& flag : flags_of(*sub)) {
      std::string names;
      for (const std::string& name : flag.names)
        names += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      out += fmt::format("complete -c nearzero -n '__fish_seen_subcommand_from {}'{}{}{} -d '{}'\n",
                         sub->get_name(), names, flag.takes_value ? " -r" : "",
                         flag.choices.empty() ? "" : " -f -a '" + words(flag.choices) + "'",
                         fish_quoted(flag.description));
    }
  }
  return out;
}

}  // namespace

Command add_completion(CLI::App& app) {
  auto shell = std::make_shared<std::string>();
  auto* sub = app.add_subcommand("completion", "Print a completion script for bash, zsh or fish");
  sub->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  sub->footer(
      examples({{"source <(nearzero completion bash)", "in ~/.bashrc"},
                {"nearzero completion zsh > _nearzero", "into a folder of $fpath"},
                {"nearzero completion fish > nearzero.fish", "into ~/.config/fish/completions"}}));
  return {sub, [shell, &app]() -> int {
            const std::string text = *shell == "bash"  ? bash(app)
                                     : *shell == "zsh" ? zsh(app)
                                                       : fish(app);
            return print(text);
          }};
}

}  // namespace nz::commands
