#include <gtest/gtest.h>

#include "userspace/export/exposition.h"

namespace nz::exposition {
namespace {

constexpr const char* kProtobuf =
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";

TEST(Negotiate, NothingAskedForIsText) {
  EXPECT_EQ(negotiate(""), Format::text);
  EXPECT_EQ(negotiate("*/*"), Format::text);
  EXPECT_EQ(negotiate("text/html, image/png"), Format::text);
  EXPECT_EQ(negotiate(",;,=,;q=,;;"), Format::text);
}

TEST(Negotiate, WhatPrometheusSends) {
  // 2.42 without and with native histograms, then 3.x in both orders of preference.
  EXPECT_EQ(negotiate("application/openmetrics-text;version=1.0.0,"
                      "application/openmetrics-text;version=0.0.1;q=0.75,"
                      "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"),
            Format::text);
  EXPECT_EQ(negotiate(std::string(kProtobuf) + ",application/openmetrics-text;version=1.0.0;q=0.8,"
                                               "application/openmetrics-text;version=0.0.1;q=0.75,"
                                               "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"),
            Format::protobuf);
  EXPECT_EQ(
      negotiate(std::string(kProtobuf) +
                ";q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
                "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
                "text/plain;version=0.0.4;q=0.2,*/*;q=0.1"),
      Format::protobuf);
  EXPECT_EQ(negotiate("text/plain;version=0.0.4;q=0.6," + std::string(kProtobuf) + ";q=0.5"),
            Format::text);
}

TEST(Negotiate, HighestQualityWinsAndTheFirstOfEquals) {
  EXPECT_EQ(negotiate("text/plain, " + std::string(kProtobuf)), Format::text);
  EXPECT_EQ(negotiate(std::string(kProtobuf) + ", text/plain"), Format::protobuf);
  EXPECT_EQ(negotiate("text/plain;q=0.4, " + std::string(kProtobuf) + ";q=0.5"), Format::protobuf);
  EXPECT_EQ(negotiate(std::string(kProtobuf) + ";q=0"), Format::text);
}

TEST(Negotiate, ProtobufOnlyInTheFormThatWeWrite) {
  EXPECT_EQ(negotiate("application/vnd.google.protobuf"), Format::text);
  EXPECT_EQ(negotiate("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
                      "encoding=text"),
            Format::text);
  EXPECT_EQ(negotiate("application/vnd.google.protobuf;proto=other;encoding=delimited"),
            Format::text);
  EXPECT_EQ(negotiate("Application/VND.google.Protobuf ; encoding=\"delimited\" ; "
                      "proto=io.prometheus.client.MetricFamily ; q=0.9"),
            Format::protobuf);
}

}  // namespace
}  // namespace nz::exposition
