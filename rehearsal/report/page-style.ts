import { graphStyle } from "./graph.ts";
import { theme } from "./theme.ts";

/** Everything the page needs to look at home in both schemes, from 390 pixels up. */
export const pageStyle = `${theme(":root")}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 ui-sans-serif,system-ui,"Segoe UI","Liberation Sans",sans-serif}
main{max-width:1180px;margin:0 auto;padding:24px 20px 64px}
h1{font-size:28px;line-height:1.2;margin:0}
h2{font-size:18px;margin:0 0 12px}
code{font:13px ui-monospace,"SF Mono","Liberation Mono",monospace;overflow-wrap:anywhere}
.quiet{color:var(--muted);font-size:13px;margin:8px 0 0}
section,header{background:var(--surface);border:1px solid var(--line);border-radius:10px;padding:20px;margin:0 0 16px;min-width:0}
header{border-top:4px solid var(--muted)}
header.ready,header.destroyed{border-top-color:var(--good)}header.failed{border-top-color:var(--bad)}header.refused{border-top-color:var(--warn)}
header p{margin:4px 0 0;color:var(--muted)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(120px,1fr));gap:14px 20px;margin:18px 0 0}
.facts dt{color:var(--muted);font-size:12px}
.facts dd{margin:0;font-size:19px;font-weight:600;font-variant-numeric:tabular-nums}
.error{border-left:4px solid var(--bad);background:var(--bad-soft);border-radius:6px;padding:12px 16px;margin:18px 0 0}
.error pre{margin:6px 0 0;white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.5 ui-monospace,"SF Mono","Liberation Mono",monospace}
.split{display:flex;height:14px;border-radius:4px;overflow:hidden;margin:20px 0 6px;gap:2px}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:13px;color:var(--muted);margin:0 0 12px;padding:0;list-style:none}
.legend i{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:6px;vertical-align:-1px}
.columns{display:grid;grid-template-columns:minmax(0,1.3fr) minmax(0,1fr);gap:0 16px;align-items:start}
.own{background:var(--own)}.bad{background:var(--bad)}
.aws{background:var(--aws)}.node{background:var(--node)}.retry{background:var(--warn)}
.fall{font-size:13px}
.visit{display:grid;grid-template-columns:304px minmax(0,1fr) 92px;gap:0 12px;align-items:center;min-height:21px}
.visit:hover{background:var(--inset)}
.name{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.name.failed{color:var(--bad);font-weight:600}
.choice .name,.pass .name{color:var(--muted)}.parallel .name{font-weight:600}
.took{text-align:right;color:var(--muted);font-variant-numeric:tabular-nums;white-space:nowrap}
.track{position:relative;height:21px;background:repeating-linear-gradient(90deg,var(--line) 0 1px,transparent 1px var(--step))}
.track u{position:absolute;top:4px;height:13px;min-width:2px;border-radius:2px}
.track u.bad{min-width:4px}
.track u.around{top:9px;height:3px;background:var(--line-strong)}
.track b{position:absolute;top:1px;width:3px;height:19px;margin-left:-1px;background:var(--warn);outline:1px solid var(--surface)}
.branch{border-left:2px solid var(--line-strong);margin:3px 0 5px 4px;padding-left:8px}
.branch .visit{grid-template-columns:290px minmax(0,1fr) 92px}
.scale{color:var(--muted);font-size:11px}.scale i{position:absolute;font-style:normal;padding-left:3px;white-space:nowrap}
.scale i.late{transform:translateX(-100%);padding:0 3px 0 0}
.scale:hover{background:none}
.machine{overflow-x:auto;text-align:center}.machine svg{min-width:560px;max-width:100%;height:auto}
details{border-top:1px solid var(--line)}details:last-of-type{border-bottom:1px solid var(--line)}
summary{padding:7px 0;cursor:pointer}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:13px}
td,th{padding:3px 12px 3px 0;text-align:left;vertical-align:top;font-weight:400}
th{color:var(--muted)}.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.things{list-style:none;margin:0;padding:0 0 8px;font-size:13px}.things li{padding:4px 0;overflow-wrap:anywhere}.things p{margin:0;color:var(--muted)}.things code{font-size:12px}
.sum td{border-top:1px solid var(--line);font-weight:600}
.good-text{color:var(--good)}.bad-text{color:var(--bad)}
.checks{list-style:none;margin:0;padding:0}
.checks>li{border-left:4px solid var(--good);padding:2px 0 2px 12px;margin:0 0 10px}
.checks>li.bad{border-color:var(--bad);background:var(--bad-soft)}
.checks em{font-style:normal;color:var(--good);font-size:13px;margin-left:6px}.checks .bad em{color:var(--bad)}
.checks p,.checks ul{margin:0;color:var(--muted);font-size:13px;overflow-wrap:anywhere}.checks ul{padding-left:18px}
@media (max-width:760px){main{padding:12px 10px 40px}section,header{padding:14px}.columns{grid-template-columns:minmax(0,1fr)}
.visit,.branch .visit{grid-template-columns:minmax(0,1fr) auto}.visit .track{grid-column:1/-1;grid-row:2;height:15px;margin-bottom:4px}
.branch{border-color:transparent}.branch .track{margin-left:-14px}.columns>:first-child{order:2}.track u{top:1px}.track u.around{top:6px}.track b{top:-1px;height:17px}.machine{text-align:left}}
${graphStyle}`;
