/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/report_style.c - how the report's page looks: on a screen, by day and by night, and on paper.
 */
#include "report.h"

/* Colours have names, so that the night is one block. No '<' or '&' may stand here: it is XML too. */
/* clang-format off */
const char report_style[] =
"\n:root{color-scheme:light dark;--page:#fbfaf8;--paper:#fff;--ink:#1d2430;--soft:#5b6472;--line:#d9d6cf;--edge:#98a1ad;"
"--safe:#1b7f4b;--safe-bg:#e2f4ea;--conditional:#8a5a00;--conditional-bg:#fdf0d2;--unknown:#6a4aa8;--unknown-bg:#eee7fb;"
"--unsafe:#b3261e;--unsafe-bg:#fce4e1;--impossible:#5d1049;--impossible-bg:#f6dff0;--note:#4a5565;--note-bg:#eceef1;"
"--memory:#b9d3ee;--firmware:#e9a13b;--interrupts:#a98be0;--bar:#6fb79a;--mono:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace}\n"
"@media (prefers-color-scheme:dark){:root{--page:#14171c;--paper:#1c2027;--ink:#e7e9ec;--soft:#a0a8b4;--line:#353b45;--edge:#6b7482;"
"--safe:#6fd6a0;--safe-bg:#173626;--conditional:#f2c261;--conditional-bg:#3b2e12;--unknown:#c4a9ff;--unknown-bg:#2d2447;"
"--unsafe:#ff9a90;--unsafe-bg:#47201d;--impossible:#f0a5dc;--impossible-bg:#431b39;--note:#b4bcc8;--note-bg:#2a2f38;"
"--memory:#365a80;--firmware:#a86a12;--interrupts:#6e52a8;--bar:#2f7a5c}}\n"
"@media print{:root{--page:#fff}body{font-size:10pt}section{break-inside:auto}.device,.group,figure{break-inside:avoid}.scroll{overflow:visible}}\n"
"*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,'DejaVu Sans',sans-serif}\n"
"main{max-width:1160px;margin:0 auto;padding:28px 20px 60px}h1{font-size:1.7em;line-height:1.2;margin:0 0 4px}h2{font-size:1.2em;margin:40px 0 6px}"
"h3{font-size:1em;margin:0}p{margin:4px 0 10px}.soft{color:var(--soft)}code,.mono{font-family:var(--mono);font-size:.9em}\n"
".chips{display:flex;flex-wrap:wrap;gap:8px;margin:14px 0}.chip{display:inline-block;border-radius:4px;padding:0 7px;font-size:.84em;font-weight:600;white-space:nowrap}"
".safe{color:var(--safe);background:var(--safe-bg)}.conditional{color:var(--conditional);background:var(--conditional-bg)}"
".unknown{color:var(--unknown);background:var(--unknown-bg)}.unsafe{color:var(--unsafe);background:var(--unsafe-bg)}"
".impossible{color:var(--impossible);background:var(--impossible-bg)}.note{color:var(--note);background:var(--note-bg)}\n"
"figure{margin:0}.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:8px;background:var(--paper);padding:10px}"
".scroll svg{display:block;width:100%;height:auto;min-width:820px}\n"
"svg text{font:12px system-ui,'DejaVu Sans',sans-serif;fill:var(--ink)}svg .id{font:600 12.5px var(--mono)}svg .small{font-size:11px;fill:var(--soft)}"
"svg .mono{font:11px var(--mono);fill:var(--soft)}svg .end{text-anchor:end}svg .middle{text-anchor:middle}\n"
"svg .box{fill:var(--page);stroke:var(--line)}svg .root{fill:var(--note-bg);stroke:var(--line)}svg .edge{fill:none;stroke:var(--edge);stroke-width:1.6}"
"svg .gap{fill:none;stroke:var(--unsafe);stroke-width:2.2;stroke-dasharray:5 4}svg .grid{stroke:var(--line);stroke-width:1;fill:none}"
"svg rect.safe{fill:var(--safe-bg)}svg rect.conditional{fill:var(--conditional-bg)}svg rect.unknown{fill:var(--unknown-bg)}"
"svg rect.unsafe{fill:var(--unsafe-bg)}svg rect.impossible{fill:var(--impossible-bg)}svg rect.note{fill:var(--note-bg)}"
"svg text.safe{fill:var(--safe)}svg text.conditional{fill:var(--conditional)}svg text.unknown{fill:var(--unknown)}"
"svg text.unsafe{fill:var(--unsafe)}svg text.impossible{fill:var(--impossible)}svg text.note{fill:var(--note)}svg .strong{font-weight:600}\n"
"svg .memory{fill:var(--memory)}svg .firmware{fill:var(--firmware)}svg .interrupts{fill:var(--interrupts)}svg .bar{fill:var(--bar)}"
"svg .stripe{fill:var(--note-bg)}svg circle{fill:var(--unsafe);fill-opacity:.75}svg .span{stroke:var(--unsafe);stroke-width:4;stroke-linecap:round;stroke-opacity:.45}\n"
".groups{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,350px),1fr));gap:12px;align-items:start}.group,.device{border:1px solid var(--line);border-radius:8px;background:var(--paper);padding:10px 14px}"
".group ul{list-style:none;margin:6px 0 0;padding:0}.group li{border-left:2px solid var(--edge);padding:3px 0 3px 10px;margin:0 0 0 4px}"
".device{margin:12px 0}.finding{border-top:1px solid var(--line);margin-top:8px;padding-top:8px}.finding p{margin:2px 0;overflow-wrap:anywhere}"
".next{font-family:var(--mono);font-size:.86em;background:var(--note-bg);border-radius:4px;padding:4px 8px;display:block}\n"
"table{border-collapse:collapse;width:100%;font-size:.92em}th,td{text-align:left;vertical-align:top;padding:5px 10px;border-bottom:1px solid var(--line)}"
"th{font-weight:600;color:var(--soft)}td.num{text-align:right;font-variant-numeric:tabular-nums}.evidence{color:var(--soft);font-size:.88em;overflow-wrap:anywhere}\n"
".key{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:.86em;color:var(--soft);margin:6px 0 0}\n";
/* clang-format on */
