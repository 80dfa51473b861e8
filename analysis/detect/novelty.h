// Whether the shape of the last values was seen before. 330 bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "analysis/detect/tail.h"

namespace nz::analysis::detect {

/// The last 24 means of `stride` values each, without their level, against eight shapes that stand
/// for those of the past: a streaming k-means of subsequences (MacQueen 1967; KMeansAD of Yairi et
/// al. 2001 keeps all of them). What is unlike all eight is novel. Shapes are kept in a byte a
/// value.
class Novelty {
 public:
  explicit Novelty(std::uint16_t stride) : stride_(stride) {}

  /// The next value and the usual spread of the series, both in the same unit. Surprise as of
  /// Tail::surprise(); between two means that of the last one.
  float surprise(float value, float spread);

 private:
  static constexpr std::size_t kLength = 24, kShapes = 8;
  using Shape = std::array<std::int8_t, kLength>;

  [[nodiscard]] Shape newest(float spread) const;
  void learn(const Shape& shape, std::size_t nearest, bool novel);

  std::array<float, kLength> ring_{};
  std::array<Shape, kShapes> shapes_{};
  std::array<std::uint16_t, kShapes> uses_{};
  Tail tail_;
  float sum_ = 0, surprise_ = 0;
  std::uint32_t seen_ = 0;  // means
  std::uint16_t stride_, filled_ = 0;
  std::uint8_t known_ = 0, next_ = 0, missed_ = 0;
};

}  // namespace nz::analysis::detect
