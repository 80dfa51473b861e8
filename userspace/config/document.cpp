#include "userspace/config/document.h"

#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>

#include "userspace/config/pointer.h"
#include "userspace/config/scalar.h"
#include "userspace/config/text_check.h"
#include "userspace/config/yaml_tree.h"

namespace nz::config {
namespace {

constexpr const char* kSyntaxRemedy =
    "check indentation, quotes and brackets at and above this line";
constexpr const char* kLimitRemedy = "write the values out plainly";

/// Turns the tree into JSON, noting where each value came from.
class Converter {
 public:
  Converter(const YamlTree& tree, Document& document, Problems& problems)
      : tree_(tree), document_(document), problems_(problems) {}

  nlohmann::json convert(std::uint32_t index, const std::string& pointer, Mark key, int depth) {
    const YamlNode& node = tree_.node(index);
    if (++visited_ > Document::kMostNodes || depth > Document::kMostDepth) {
      throw YamlLimit(node.mark, depth > Document::kMostDepth
                                     ? "aliases nest too deeply"
                                     : "aliases expand to more than " +
                                           std::to_string(Document::kMostNodes) + " values");
    }
    // The parser marks an absent value (`targets:`) at whatever comes next: its key is the better
    // place.
    const Mark value = node.kind == YamlNode::Kind::kNull ? key : node.mark;
    document_.marks[pointer] = {key, value};
    switch (node.kind) {
      case YamlNode::Kind::kNull:
        return nullptr;
      case YamlNode::Kind::kScalar:
        return scalar(node, pointer);
      case YamlNode::Kind::kList:
        return list(node, pointer, depth);
      case YamlNode::Kind::kMap:
        return map(node, pointer, depth);
    }
    return nullptr;
  }

 private:
  void report(Mark mark, const std::string& pointer, std::string what, std::string remedy) {
    problems_.add({document_.place(mark), pointer, std::move(what), std::move(remedy)});
  }

  nlohmann::json scalar(const YamlNode& node, const std::string& pointer) {
    const auto is_control = [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    };
    if (std::any_of(node.text.begin(), node.text.end(), is_control)) {
      report(node.mark, pointer,
             display(pointer) + ": a line break or control character in the text",
             "write it on one line, without escapes such as \\n");
      // Not passed on: the validator would take a NUL for the end and complain about the length.
      std::string text = node.text;
      std::replace_if(text.begin(), text.end(), is_control, '?');
      return text;
    }
    return node.plain ? resolve_plain(node.text) : nlohmann::json(node.text);
  }

  nlohmann::json list(const YamlNode& node, const std::string& pointer, int depth) {
    nlohmann::json out = nlohmann::json::array();
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      const Mark mark = tree_.node(node.children[i]).mark;
      out.push_back(convert(node.children[i], child(pointer, i), mark, depth + 1));
    }
    return out;
  }

  nlohmann::json map(const YamlNode& node, const std::string& pointer, int depth) {
    nlohmann::json out = nlohmann::json::object();
    for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
      const YamlNode& key = tree_.node(node.children[i]);
      if (key.kind != YamlNode::Kind::kScalar) {
        report(key.mark, pointer, "a key in " + display(pointer) + " is not a word",
               "write `key: value`");
        continue;
      }
      const std::string place = child(pointer, key.text);
      if (out.contains(key.text)) {
        report(key.mark, place,
               "duplicate key " + in_quotes(key.text) + ", first at line " +
                   std::to_string(document_.marks[place].key.line),
               "remove one of them");
        continue;
      }
      out[key.text] = convert(node.children[i + 1], place, key.mark, depth + 1);
    }
    return out;
  }

  const YamlTree& tree_;
  Document& document_;
  Problems& problems_;
  std::size_t visited_ = 0;
};

}  // namespace

Place Document::place(Mark mark) const {
  return {name + ':' + std::to_string(mark.line) + ':' + std::to_string(mark.column), mark.line,
          mark.column};
}

Place Document::place(const std::string& pointer, Part part) const {
  std::string at = pointer;
  while (true) {
    const auto found = marks.find(at);
    if (found != marks.end()) {
      return place(part == Part::kKey && at == pointer ? found->second.key : found->second.value);
    }
    if (at.empty()) return place(Mark{});
    at = parent(at);
  }
}

bool read_document(std::string_view yaml, const std::string& name, Document& document,
                   Problems& problems) {
  document.name = name;
  const auto stop = [&](Mark mark, std::string what, std::string remedy) {
    problems.add({document.place(mark), "", std::move(what), std::move(remedy)});
    return false;
  };
  if (yaml.size() > Document::kMostBytes) {
    return stop({}, "more than 1 MiB",
                "is this a nearzero configuration? They are a few kilobytes");
  }
  if (const auto problem = check_text(yaml)) {
    return stop({problem->line, problem->column}, problem->what,
                "a configuration is a YAML text in UTF-8");
  }
  try {
    std::istringstream stream{std::string(yaml)};
    YAML::Parser parser(stream);
    YamlTree tree;
    if (!parser.HandleNextDocument(tree) || !tree.has_root()) return true;
    YamlTree second;
    if (parser.HandleNextDocument(second)) {
      return stop(second.has_root() ? second.node(0).mark : Mark{}, "a second YAML document",
                  "one file holds one configuration: remove '---' and what follows");
    }
    document.json = Converter(tree, document, problems)
                        .convert(tree.root(), "", tree.node(tree.root()).mark, 0);
    return true;
  } catch (const YamlLimit& limit) {
    return stop(limit.mark, limit.what(), kLimitRemedy);
  } catch (const YAML::Exception& error) {
    return stop(YamlTree::to_mark(error.mark), "not valid YAML: " + error.msg, kSyntaxRemedy);
  } catch (const std::exception& error) {
    return stop({}, std::string("not readable as YAML: ") + error.what(), kSyntaxRemedy);
  }
}

}  // namespace nz::config
