#include "userspace/export/exposition.h"

namespace nz::exposition {

std::string_view content_type(Format format) {
  return format == Format::protobuf
             ? "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
               "encoding=delimited"
             : "text/plain; version=0.0.4; charset=utf-8";
}

std::string render(const std::vector<metrics::Family>& families, Format format) {
  return format == Format::protobuf ? render_protobuf(families) : render_text(families);
}

}  // namespace nz::exposition
