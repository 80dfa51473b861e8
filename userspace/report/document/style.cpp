#include "userspace/report/document/style.h"

namespace nz::report {

// Colours of lines and parts can be told apart with the common forms of colour blindness (after
// Okabe and Ito, "Color Universal Design", 2008), darkened or lightened for contrast with the page.
const char* const kStyle = R"css(
:root{color-scheme:light dark;--page:#fff;--text:#1c2330;--quiet:#5b6577;--rule:#dfe3ea;--box:#f5f7fa;
--good:#1a7f4b;--warn:#a15c00;--bad:#c0262d;--goodbox:#e9f6ef;--warnbox:#fdf3e1;--badbox:#fdecec;
--l0:#0b62a8;--l1:#c25400;--l2:#007a5a;--l3:#9b4f86;--l4:#8a6d00;--l5:#1c84a8;--l6:#7a3b2e;--l7:#555f70;
--c0:#0b62a8;--c1:#c25400;--c2:#b3202c;--c3:#7d8797;--c4:#7a3f9d;--c5:#00786f;--c6:#4c5a74;--c7:#ad3f7f;
--c8:#4d7a1f;--c9:#7a5a36;--bar:#5d93bf;--ref:#7d8797}
@media (prefers-color-scheme:dark){:root{--page:#14181f;--text:#e4e8ef;--quiet:#9aa5b7;--rule:#2d3541;
--box:#1c222b;--good:#5fcf94;--warn:#f0b356;--bad:#ff8080;--goodbox:#15291f;--warnbox:#2d2413;--badbox:#331b1d;
--l0:#6cb2f0;--l1:#f59a4f;--l2:#4cc79f;--l3:#dd96c6;--l4:#d9bd4a;--l5:#74cbe8;--l6:#d98f7f;--l7:#a9b3c4;
--c0:#2f7fc4;--c1:#c96a1c;--c2:#cf4750;--c3:#69748a;--c4:#925fb5;--c5:#1a8f84;--c6:#5d6f92;--c7:#c05c95;
--c8:#5f9130;--c9:#94714a;--bar:#3f7cac;--ref:#97a1b3}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.55 system-ui,-apple-system,"Segoe UI",
Roboto,"Helvetica Neue",Arial,"Noto Sans",sans-serif}
main{max-width:72rem;margin:0 auto;padding:1.6rem clamp(1rem,4vw,2.5rem) 4rem}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .2rem}
h2{font-size:1.2rem;margin:2.6rem 0 .8rem;padding-top:1.1rem;border-top:1px solid var(--rule)}
h3{font-size:1rem;margin:1.4rem 0 .4rem}
p{margin:.5rem 0;max-width:52rem;overflow-wrap:anywhere}
ol,ul{padding-left:1.4rem;max-width:52rem}
li{margin:.45rem 0;overflow-wrap:anywhere}
.sub{color:var(--quiet);margin:0 0 1.2rem}
.verdict{border-left:5px solid var(--rule);background:var(--box);border-radius:6px;padding:.8rem 1.1rem;
font-size:1.08rem}
.verdict p{margin:0;max-width:none}
.verdict b{display:block;font-size:.8rem;text-transform:uppercase;letter-spacing:.06em}
.verdict.good{border-color:var(--good);background:var(--goodbox)}.verdict.good b{color:var(--good)}
.verdict.warn{border-color:var(--warn);background:var(--warnbox)}.verdict.warn b{color:var(--warn)}
.verdict.bad{border-color:var(--bad);background:var(--badbox)}.verdict.bad b{color:var(--bad)}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.7rem;margin:1rem 0}
.figures div{border:1px solid var(--rule);border-radius:6px;padding:.55rem .8rem}
.figures span{display:block;color:var(--quiet);font-size:.82rem;overflow-wrap:anywhere}
.figures strong{font-size:1.35rem;font-weight:600;font-variant-numeric:tabular-nums}
.figures em{font-style:normal;font-size:.85rem;margin-left:.4rem;color:var(--quiet)}
nav{font-size:.9rem;margin:1rem 0 0}
nav a{display:inline-block;margin:.15rem .9rem .15rem 0}
a{color:var(--l0)}
.scroll{overflow-x:auto;margin:.6rem 0}
table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding:.2rem 0 .3rem;font-size:.95rem}
th,td{padding:.3rem .55rem .3rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule);
unicode-bidi:isolate}
th{font-weight:600;color:var(--quiet);white-space:nowrap}
td{min-width:3.2rem;max-width:34rem;overflow-wrap:anywhere}
td:first-child{min-width:8.5rem}.card td{min-width:10rem}.card td.n{min-width:3.2rem}
.n{text-align:right;white-space:nowrap}
th.n,td.n{padding-left:.4rem}
code{font:.92em ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace;
unicode-bidi:isolate;overflow-wrap:anywhere}
pre{background:var(--box);border-radius:6px;padding:.6rem .8rem;overflow:auto;max-height:24rem;margin:.4rem 0;
font:.82rem/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace;
white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:isolate}
.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}.quiet{color:var(--quiet)}
p.warn{color:inherit;border-left:3px solid var(--warn);padding-left:.8rem}
.verdict.good,.verdict.warn,.verdict.bad{color:var(--text)}
.note{color:var(--quiet);font-size:.85rem;margin:.2rem 0 .6rem}
.card{border:1px solid var(--rule);border-left:4px solid var(--rule);border-radius:6px;padding:.7rem 1rem;
margin:.9rem 0;break-inside:avoid}
.card.bad{border-left-color:var(--bad)}.card.warn{border-left-color:var(--warn)}
.card.bad,.card.warn,.card.good,.card.quiet{color:var(--text)}
.card h3{margin:0 0 .3rem;overflow-wrap:anywhere;unicode-bidi:isolate}
.card .do{background:var(--box);border-radius:6px;padding:.5rem .8rem;margin:.6rem 0 .1rem;max-width:none}
.badge{display:inline-block;font-size:.74rem;font-weight:600;border:1px solid currentColor;border-radius:9px;
padding:0 .5rem;margin-right:.4rem;color:var(--quiet)}
.card.bad .badge:first-of-type{color:var(--bad)}.card.warn .badge:first-of-type{color:var(--warn)}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:1.2rem 1.6rem;
margin:1rem 0}
figure{margin:0;break-inside:avoid;min-width:0}
figure.wide{margin:1.1rem 0;max-width:46rem}
.charts figure{max-width:36rem}
figcaption{font-weight:600;font-size:.92rem;margin-bottom:.15rem;overflow-wrap:anywhere}
.legend{font-size:.82rem;color:var(--quiet);margin-bottom:.2rem}
.legend span{display:inline-block;margin-right:.9rem}
.marks{font-size:.82rem;color:var(--quiet);margin:.2rem 0 .8rem;padding-left:1.6rem}
.marks li{margin:.1rem 0}
.sw{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.35em;vertical-align:-.06em}
.sw.ref{height:0;border-top:2px dashed var(--ref);border-radius:0;width:1.3em;vertical-align:.25em}
svg{display:block;width:100%;height:auto;font:12px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif}
.t{fill:var(--quiet)}.small{font-size:10px}.num{font-size:11px;font-weight:600;fill:var(--bad)}
.in{fill:#fff;font-size:11px;pointer-events:none}
.grid{stroke:var(--rule);stroke-width:1}.axis{stroke:var(--quiet);stroke-width:1}
.limit{stroke:var(--bad);stroke-width:1.2;stroke-dasharray:6 3}
.mark{stroke:var(--bad);stroke-width:1;stroke-dasharray:2 3}
.line{fill:none;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}
.line.ref{stroke:var(--ref);stroke-width:1.4;stroke-dasharray:4 3}
.bar{fill:var(--bar)}.faint{opacity:.55}.sw.bar{background:var(--bar)}
.l0{stroke:var(--l0)}.l1{stroke:var(--l1)}.l2{stroke:var(--l2)}.l3{stroke:var(--l3)}
.l4{stroke:var(--l4)}.l5{stroke:var(--l5)}.l6{stroke:var(--l6)}.l7{stroke:var(--l7)}
.sw.l0{background:var(--l0)}.sw.l1{background:var(--l1)}.sw.l2{background:var(--l2)}.sw.l3{background:var(--l3)}
.sw.l4{background:var(--l4)}.sw.l5{background:var(--l5)}.sw.l6{background:var(--l6)}.sw.l7{background:var(--l7)}
.c0{fill:var(--c0)}.c1{fill:var(--c1)}.c2{fill:var(--c2)}.c3{fill:var(--c3)}.c4{fill:var(--c4)}
.c5{fill:var(--c5)}.c6{fill:var(--c6)}.c7{fill:var(--c7)}.c8{fill:var(--c8)}.c9{fill:var(--c9)}
.sw.c0{background:var(--c0)}.sw.c1{background:var(--c1)}.sw.c2{background:var(--c2)}.sw.c3{background:var(--c3)}
.sw.c4{background:var(--c4)}.sw.c5{background:var(--c5)}.sw.c6{background:var(--c6)}.sw.c7{background:var(--c7)}
.sw.c8{background:var(--c8)}.sw.c9{background:var(--c9)}
footer{margin-top:3rem;color:var(--quiet);font-size:.85rem}
@media print{:root{color-scheme:light}body{font-size:10.5pt}main{max-width:none;padding:0}nav{display:none}
pre{max-height:none}h2{break-after:avoid}h3{break-after:avoid}tr{break-inside:avoid}a{color:inherit}
.scroll{overflow:visible}table{font-size:8.5pt}}
)css";

}  // namespace nz::report
