#include "algorithms/vectors.h"

// Highway compiles what lies between its markers once per instruction set, by including this file again.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "algorithms/vectors.cc"
#include <hwy/foreach_target.h>
// foreach_target first
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace argosy::algorithms::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, kLane>;

// One row against `kOutputs` weight vectors: the row is loaded once.
template <size_t kOutputs>
void RowDots(const float* x, size_t n, const float* w, size_t w_stride, float* out) {
  const Floats d;
  using V = hn::Vec<Floats>;
  V s0 = hn::Zero(d), s1 = hn::Zero(d), s2 = hn::Zero(d), s3 = hn::Zero(d);
  for (size_t j = 0; j < n; j += hn::Lanes(d)) {
    const V xs = hn::LoadU(d, x + j);
    s0 = hn::MulAdd(xs, hn::LoadU(d, w + j), s0);
    if constexpr (kOutputs > 1) s1 = hn::MulAdd(xs, hn::LoadU(d, w + w_stride + j), s1);
    if constexpr (kOutputs > 2) s2 = hn::MulAdd(xs, hn::LoadU(d, w + 2 * w_stride + j), s2);
    if constexpr (kOutputs > 3) s3 = hn::MulAdd(xs, hn::LoadU(d, w + 3 * w_stride + j), s3);
  }
  out[0] += hn::GetLane(hn::SumOfLanes(d, s0));
  if constexpr (kOutputs > 1) out[1] += hn::GetLane(hn::SumOfLanes(d, s1));
  if constexpr (kOutputs > 2) out[2] += hn::GetLane(hn::SumOfLanes(d, s2));
  if constexpr (kOutputs > 3) out[3] += hn::GetLane(hn::SumOfLanes(d, s3));
}

// Four rows against one weight vector: the weights are loaded once, and four chains of additions hide their latency.
void FourRowsDot(const float* x, size_t n, const float* w, float* out) {
  const Floats d;
  using V = hn::Vec<Floats>;
  V s0 = hn::Zero(d), s1 = hn::Zero(d), s2 = hn::Zero(d), s3 = hn::Zero(d);
  for (size_t j = 0; j < n; j += hn::Lanes(d)) {
    const V ws = hn::LoadU(d, w + j);
    s0 = hn::MulAdd(ws, hn::LoadU(d, x + j), s0);
    s1 = hn::MulAdd(ws, hn::LoadU(d, x + n + j), s1);
    s2 = hn::MulAdd(ws, hn::LoadU(d, x + 2 * n + j), s2);
    s3 = hn::MulAdd(ws, hn::LoadU(d, x + 3 * n + j), s3);
  }
  out[0] += hn::GetLane(hn::SumOfLanes(d, s0));
  out[1] += hn::GetLane(hn::SumOfLanes(d, s1));
  out[2] += hn::GetLane(hn::SumOfLanes(d, s2));
  out[3] += hn::GetLane(hn::SumOfLanes(d, s3));
}

void AddDotsImpl(const float* x, size_t rows, size_t n, const float* w, size_t w_stride, size_t outputs, float* out) {
  size_t r = 0;
  if (outputs == 1) {
    for (; r + 4 <= rows; r += 4) FourRowsDot(x + r * n, n, w, out + r);
  }
  for (; r < rows; ++r) {
    size_t o = 0;
    for (; o + 4 <= outputs; o += 4) RowDots<4>(x + r * n, n, w + o * w_stride, w_stride, out + r * outputs + o);
    for (; o + 2 <= outputs; o += 2) RowDots<2>(x + r * n, n, w + o * w_stride, w_stride, out + r * outputs + o);
    for (; o < outputs; ++o) RowDots<1>(x + r * n, n, w + o * w_stride, w_stride, out + r * outputs + o);
  }
}

// g += Σ over kRows rows of residual[r × outputs] · x[r]: one load and one store of g for all of them.
template <size_t kRows>
void RowsOuter(const float* x, size_t n, const float* residual, size_t outputs, float* g) {
  const Floats d;
  using V = hn::Vec<Floats>;
  const V r0 = hn::Set(d, residual[0]);
  const V r1 = hn::Set(d, kRows > 1 ? residual[outputs] : 0.0F);
  const V r2 = hn::Set(d, kRows > 1 ? residual[2 * outputs] : 0.0F);
  const V r3 = hn::Set(d, kRows > 1 ? residual[3 * outputs] : 0.0F);
  for (size_t j = 0; j < n; j += hn::Lanes(d)) {
    V s = hn::MulAdd(r0, hn::LoadU(d, x + j), hn::LoadU(d, g + j));
    if constexpr (kRows > 1) {
      s = hn::MulAdd(r1, hn::LoadU(d, x + n + j), s);
      s = hn::MulAdd(r2, hn::LoadU(d, x + 2 * n + j), s);
      s = hn::MulAdd(r3, hn::LoadU(d, x + 3 * n + j), s);
    }
    hn::StoreU(s, d, g + j);
  }
}

void AddOuterImpl(const float* x, size_t rows, size_t n, const float* residual, size_t outputs, float* g,
                  size_t g_stride) {
  size_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    for (size_t o = 0; o < outputs; ++o) {
      RowsOuter<4>(x + r * n, n, residual + r * outputs + o, outputs, g + o * g_stride);
    }
  }
  for (; r < rows; ++r) {
    for (size_t o = 0; o < outputs; ++o) {
      RowsOuter<1>(x + r * n, n, residual + r * outputs + o, outputs, g + o * g_stride);
    }
  }
}

void NormalizeImpl(const float* x, const float* mean, const float* scale, float limit, size_t n, float* out) {
  const Floats d;
  const auto upper = hn::Set(d, limit);
  const auto lower = hn::Set(d, -limit);
  for (size_t j = 0; j < n; j += hn::Lanes(d)) {
    const auto xs = hn::LoadU(d, x + j);
    const auto whole = hn::Mul(hn::Sub(xs, hn::LoadU(d, mean + j)), hn::LoadU(d, scale + j));
    const auto z = hn::Min(hn::Max(whole, lower), upper);
    hn::StoreU(hn::IfThenElse(hn::IsNaN(xs), hn::Zero(d), z), d, out + j);
  }
}

void ApplyAdamImpl(const AdamStep& step, const float* g, float* m, float* v, float* w, size_t n) {
  const Floats d;
  const auto lr = hn::Set(d, step.lr);
  const auto beta_1 = hn::Set(d, step.beta_1);
  const auto beta_2 = hn::Set(d, step.beta_2);
  const auto rest_1 = hn::Set(d, 1 - step.beta_1);
  const auto rest_2 = hn::Set(d, 1 - step.beta_2);
  const auto epsilon = hn::Set(d, step.epsilon);
  for (size_t j = 0; j < n; j += hn::Lanes(d)) {
    const auto gs = hn::LoadU(d, g + j);
    const auto ms = hn::MulAdd(beta_1, hn::LoadU(d, m + j), hn::Mul(rest_1, gs));
    const auto vs = hn::MulAdd(beta_2, hn::LoadU(d, v + j), hn::Mul(rest_2, hn::Mul(gs, gs)));
    hn::StoreU(ms, d, m + j);
    hn::StoreU(vs, d, v + j);
    const auto change = hn::Div(hn::Mul(lr, ms), hn::Add(hn::Sqrt(vs), epsilon));
    hn::StoreU(hn::Sub(hn::LoadU(d, w + j), change), d, w + j);
  }
}

void ApplyRmspropImpl(float lr, float decay, float epsilon, const float* g, float* v, float* w, size_t n) {
  const Floats d;
  const auto rates = hn::Set(d, lr);
  const auto decays = hn::Set(d, decay);
  const auto rest = hn::Set(d, 1 - decay);
  const auto epsilons = hn::Set(d, epsilon);
  for (size_t j = 0; j < n; j += hn::Lanes(d)) {
    const auto gs = hn::LoadU(d, g + j);
    const auto vs = hn::MulAdd(decays, hn::LoadU(d, v + j), hn::Mul(rest, hn::Mul(gs, gs)));
    hn::StoreU(vs, d, v + j);
    const auto change = hn::Div(hn::Mul(rates, gs), hn::Add(hn::Sqrt(vs), epsilons));
    hn::StoreU(hn::Sub(hn::LoadU(d, w + j), change), d, w + j);
  }
}

void ApplySgdImpl(float lr, float momentum, const float* g, float* m, float* w, size_t n) {
  const Floats d;
  const auto rates = hn::Set(d, lr);
  const auto momenta = hn::Set(d, momentum);
  for (size_t j = 0; j < n; j += hn::Lanes(d)) {
    const auto ms = hn::MulAdd(momenta, hn::LoadU(d, m + j), hn::LoadU(d, g + j));
    hn::StoreU(ms, d, m + j);
    hn::StoreU(hn::NegMulAdd(rates, ms, hn::LoadU(d, w + j)), d, w + j);
  }
}

void ScaleImpl(float factor, float* a, size_t n) {
  const Floats d;
  const auto factors = hn::Set(d, factor);
  for (size_t j = 0; j < n; j += hn::Lanes(d)) hn::StoreU(hn::Mul(factors, hn::LoadU(d, a + j)), d, a + j);
}

void AddScaledImpl(float factor, const float* b, float* a, size_t n) {
  const Floats d;
  const auto factors = hn::Set(d, factor);
  for (size_t j = 0; j < n; j += hn::Lanes(d)) {
    hn::StoreU(hn::MulAdd(factors, hn::LoadU(d, b + j), hn::LoadU(d, a + j)), d, a + j);
  }
}

void SoftThresholdImpl(float threshold, float* w, size_t n) {
  const Floats d;
  const auto thresholds = hn::Set(d, threshold);
  for (size_t j = 0; j < n; j += hn::Lanes(d)) {
    const auto ws = hn::LoadU(d, w + j);
    const auto shrunk = hn::Max(hn::Sub(hn::Abs(ws), thresholds), hn::Zero(d));
    hn::StoreU(hn::CopySign(shrunk, ws), d, w + j);
  }
}

}  // namespace argosy::algorithms::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace argosy::algorithms {

HWY_EXPORT(AddDotsImpl);
HWY_EXPORT(AddOuterImpl);
HWY_EXPORT(NormalizeImpl);
HWY_EXPORT(ApplyAdamImpl);
HWY_EXPORT(ApplyRmspropImpl);
HWY_EXPORT(ApplySgdImpl);
HWY_EXPORT(ScaleImpl);
HWY_EXPORT(AddScaledImpl);
HWY_EXPORT(SoftThresholdImpl);

void AddDots(const float* x, size_t rows, size_t n, const float* w, size_t w_stride, size_t outputs, float* out) {
  HWY_DYNAMIC_DISPATCH(AddDotsImpl)(x, rows, n, w, w_stride, outputs, out);
}
void AddOuter(const float* x, size_t rows, size_t n, const float* residual, size_t outputs, float* g, size_t g_stride) {
  HWY_DYNAMIC_DISPATCH(AddOuterImpl)(x, rows, n, residual, outputs, g, g_stride);
}
void Normalize(const float* x, const float* mean, const float* scale, float limit, size_t n, float* out) {
  HWY_DYNAMIC_DISPATCH(NormalizeImpl)(x, mean, scale, limit, n, out);
}
void ApplyAdam(const AdamStep& step, const float* g, float* m, float* v, float* w, size_t n) {
  HWY_DYNAMIC_DISPATCH(ApplyAdamImpl)(step, g, m, v, w, n);
}
void ApplyRmsprop(float lr, float decay, float epsilon, const float* g, float* v, float* w, size_t n) {
  HWY_DYNAMIC_DISPATCH(ApplyRmspropImpl)(lr, decay, epsilon, g, v, w, n);
}
void ApplySgd(float lr, float momentum, const float* g, float* m, float* w, size_t n) {
  HWY_DYNAMIC_DISPATCH(ApplySgdImpl)(lr, momentum, g, m, w, n);
}
void Scale(float factor, float* a, size_t n) {
  HWY_DYNAMIC_DISPATCH(ScaleImpl)(factor, a, n);
}
void AddScaled(float factor, const float* b, float* a, size_t n) {
  HWY_DYNAMIC_DISPATCH(AddScaledImpl)(factor, b, a, n);
}
void SoftThreshold(float threshold, float* w, size_t n) {
  HWY_DYNAMIC_DISPATCH(SoftThresholdImpl)(threshold, w, n);
}

}  // namespace argosy::algorithms
#endif  // HWY_ONCE
