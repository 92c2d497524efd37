/* How the page looks: dark ink on paper white, one colour for bars, figures in equal widths; works printed in grey. */
#include "inside.h"

static const char *const style[] = {
    ":root{color-scheme:light;--ink:#1c2529;--soft:#4d5b62;--line:#d9dfe1;--paper:#fff;--ground:#f4f6f6;--bar:#1b6179;--rest:#8b989e;",
    "--warn-ink:#6b3d00;--warn-ground:#fff5dc;--warn-line:#d69a2d;--bad:#9b1c1c;--good:#1f6b3a}",
    "*{box-sizing:border-box}",
    "body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Noto Sans\",\"Liberation Sans\",Arial,sans-serif}",
    "main{max-width:62rem;margin:0 auto;padding:2rem 1.25rem 3rem;background:var(--paper);min-height:100vh}",
    "header{border-bottom:2px solid var(--ink);padding-bottom:1rem;margin-bottom:1.25rem}",
    "h1{font-size:1.9rem;line-height:1.2;margin:.35rem 0 .25rem;letter-spacing:-.01em}",
    "h2{font-size:1.35rem;margin:2.25rem 0 .75rem;line-height:1.25}h2 small{font-weight:400;color:var(--soft);font-size:1rem;margin-left:.4rem}",
    "h3{font-size:1.02rem;margin:0 0 .1rem}p{margin:.4rem 0}",
    ".about{color:var(--soft);font-size:.92rem}.about code{font-size:.8rem;overflow-wrap:anywhere}",
    ".mark{display:inline-block;border:1.5px solid var(--warn-line);background:var(--warn-ground);color:var(--warn-ink);font-weight:600;",
    "font-size:.85rem;padding:.1rem .6rem;border-radius:.25rem}",
    ".made{border-left:4px solid var(--warn-line);background:var(--warn-ground);color:var(--warn-ink);padding:.55rem .9rem;margin:1rem 0}",
    ".totals{display:grid;grid-template-columns:repeat(auto-fit,minmax(10rem,1fr));gap:.9rem;margin:1rem 0 .5rem;padding:0;list-style:none}",
    ".totals li{border:1px solid var(--line);border-top:4px solid var(--bar);padding:.6rem .9rem .7rem}",
    ".totals b{display:block;font-size:2.1rem;line-height:1.15;font-variant-numeric:tabular-nums;letter-spacing:-.02em}",
    ".totals span{color:var(--soft)}",
    ".box{border:1px solid var(--line);background:var(--ground);padding:.8rem 1rem;margin:1rem 0}.box p{margin:.15rem 0}",
    ".box ul{margin:.4rem 0 0;padding:0;list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.6rem;font-size:.92rem}",
    ".grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,25rem),1fr));gap:1.75rem 2.25rem;align-items:start}",
    ".period>.grid{margin-top:1.75rem}svg.defs{position:absolute}",
    "nav ul{display:flex;flex-wrap:wrap;gap:.4rem .5rem;margin:.7rem 0 0;padding:0;list-style:none}",
    "nav a{display:block;border:1px solid var(--line);border-radius:2rem;padding:.15rem .75rem;color:var(--bar);text-decoration:none;font-size:.92rem}",
    "nav a:hover{border-color:var(--bar)}a:focus-visible{outline:3px solid var(--warn-line);outline-offset:2px}",
    ".box li span{color:var(--good);font-weight:700}.box li.late,.box li.late span{color:var(--bad)}",
    "section.period+section.period{margin-top:3rem;border-top:2px solid var(--ink)}",
    "figure,section.table{margin:0;break-inside:avoid}figcaption p,section.table>p{color:var(--soft);font-size:.88rem;margin:0 0 .5rem}",
    "svg{display:block;width:100%;height:auto;font:inherit}",
    "table{border-collapse:collapse;width:100%;font-size:.93rem;margin-top:.5rem}",
    "th,td{padding:.28rem .5rem .28rem 0;text-align:left;border-bottom:1px solid var(--line);vertical-align:baseline}",
    "th{font-weight:600;color:var(--soft);font-size:.84rem}tbody th{font-weight:400;color:inherit;font-size:inherit}",
    "td.n,th.n{text-align:right;padding-right:0;padding-left:.75rem;font-variant-numeric:tabular-nums;white-space:nowrap}",
    "tr.rest>*{color:var(--soft)}tr.sum>*{font-weight:600;border-bottom:0;border-top:1.5px solid var(--ink)}",
    ".held th.n,.held td.n{width:4.6rem}.held th.n:last-child,.held td.n:last-child{width:6.2rem}tr.rest>.no{color:var(--bad)}tr.rest>.yes{color:var(--good)}.yes{color:var(--good);font-weight:600}.no{color:var(--bad);font-weight:700}",
    ".beside{break-inside:avoid;margin-bottom:1.4rem}.beside h3{display:flex;gap:.6rem;flex-wrap:wrap;align-items:baseline}",
    ".small{color:var(--soft);font-size:.88rem}footer{margin-top:2.5rem;padding-top:.8rem;border-top:1px solid var(--line)}",
    "@media print{nav{display:none}@page{margin:16mm 14mm 18mm}body{background:#fff;font-size:10.5pt}main{max-width:none;padding:0;min-height:0}",
    "*{-webkit-print-color-adjust:exact;print-color-adjust:exact}h2,h3{break-after:avoid}.grid{grid-template-columns:1fr 1fr;gap:1rem 1.5rem}",
    "section.period+section.period{break-before:page}.running{position:fixed;bottom:-12mm;left:0;right:0;text-align:center;font-size:9pt}}",
    "@media screen{.running{display:none}}",
};

void focal_report_html_style(struct focal_buf *out)
{
    for (size_t i = 0; i < sizeof style / sizeof style[0]; i++) {
        focal_buf_text(out, style[i]);
        focal_buf_u8(out, '\n');
    }
}
