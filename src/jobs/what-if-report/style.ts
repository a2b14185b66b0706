/* The look of reports: dark on white, one accent that every kind of colour vision tells from grey. */

export const ink = '#16202c'
export const muted = '#56616e'
export const line = '#dfe4ea'
export const accent = '#0b5cad'
/** As it is, beside the accent of what would be. */
export const neutral = '#7a8592'

/** Without quotes: it stands in attributes of SVG. */
export const chartFont = 'system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif'

/** Only what the machine has: no font, picture or script of anybody else. */
export const stylesheet = `
@page { size: A4; margin: 16mm 15mm 18mm; @bottom-right { content: counter(page) " / " counter(pages); font: 9pt system-ui, sans-serif; color: ${muted}; } }
* { box-sizing: border-box; }
html { color: ${ink}; background: #fff; font: 15px/1.5 ${chartFont}; -webkit-text-size-adjust: 100%; }
body { margin: 0; }
main { max-width: 46rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; font-variant-numeric: tabular-nums lining-nums; overflow-wrap: break-word; }
h1, h2, h3, p, figure, dl, dd, ul { margin: 0; }
h1 { font-size: 2rem; line-height: 1.2; letter-spacing: -0.02em; font-weight: 650; }
h2 { font-size: 1.2rem; line-height: 1.3; font-weight: 650; margin-bottom: 0.6rem; break-after: avoid; }
h3 { font-size: 1rem; font-weight: 650; margin: 1.2rem 0 0.4rem; break-after: avoid; }
section { margin-top: 2.4rem; }
.eyebrow { color: ${muted}; font-size: 0.87rem; margin-bottom: 0.3rem; }
.lead { font-size: 1.12rem; line-height: 1.5; margin-top: 1rem; }
.evidence { margin-top: 0.9rem; color: ${muted}; }
.badge { display: inline-block; border: 1.5px solid ${ink}; border-radius: 99px; padding: 0.05rem 0.7rem; font-weight: 650; font-size: 0.87rem; color: ${ink}; margin-right: 0.4rem; white-space: nowrap; }
.badge.experiment { background: ${accent}; border-color: ${accent}; color: #fff; }
.badge.adjusted { border-color: ${accent}; color: ${accent}; }
.badge.associational { border-style: dashed; }
.note { color: ${muted}; font-size: 0.87rem; margin-top: 0.5rem; }
.figures { display: grid; grid-template-columns: repeat(3, 1fr); gap: 0.8rem; margin-top: 1.4rem; }
.figures > div { border: 1px solid ${line}; border-top: 3px solid ${accent}; border-radius: 4px; padding: 0.7rem 0.9rem; break-inside: avoid; }
.figures dt { color: ${muted}; font-size: 0.87rem; }
.figures dd { font-size: 1.55rem; font-weight: 650; line-height: 1.25; letter-spacing: -0.01em; }
.figures small { display: block; font-size: 0.82rem; font-weight: 400; letter-spacing: 0; color: ${muted}; line-height: 1.4; }
.caveat, .refused { border: 1.5px solid ${ink}; border-left-width: 6px; border-radius: 4px; padding: 0.8rem 1rem; margin: 0.8rem 0; break-inside: avoid; }
.refused { padding: 1.4rem 1.5rem; margin-top: 1.6rem; }
.refused strong { display: block; font-size: 1.8rem; line-height: 1.2; margin-bottom: 0.5rem; }
.refused p { font-size: 1.12rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
caption { text-align: left; color: ${muted}; font-size: 0.87rem; padding-bottom: 0.4rem; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
th, td { text-align: left; vertical-align: top; padding: 0.45rem 0.6rem 0.45rem 0; border-bottom: 1px solid ${line}; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: ${muted}; font-weight: 600; font-size: 0.82rem; border-bottom: 1.5px solid ${ink}; vertical-align: bottom; }
tbody th { font-weight: 500; overflow-wrap: anywhere; min-width: 6.5rem; }
tbody td { overflow-wrap: anywhere; min-width: 5rem; }
.number, td small { overflow-wrap: normal; }
.number { text-align: right; }
td small, th small { display: block; color: ${muted}; font-size: 0.78rem; font-weight: 400; line-height: 1.4; }
td.number small { white-space: nowrap; }
tr.total th, tr.total td { font-weight: 650; border-top: 1.5px solid ${ink}; }
figure { margin-top: 1rem; break-inside: avoid; }
figure svg { display: block; width: 100%; height: auto; }
figcaption { color: ${muted}; font-size: 0.87rem; margin-top: 0.3rem; }
.key { display: inline-block; width: 1.6rem; border-top: 3px solid ${accent}; vertical-align: middle; margin: 0 0.3rem 0.15rem 0; }
.key.baseline { border-top: 3px dashed ${neutral}; }
.list { padding-left: 1.1rem; }
.list li { margin-bottom: 0.35rem; }
.origin { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1.2rem; font-size: 0.9rem; }
.origin dt { color: ${muted}; }
pre { font: 0.8rem/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; background: #f5f7f9; border: 1px solid ${line}; border-radius: 4px; padding: 0.7rem 0.9rem; white-space: pre-wrap; overflow-wrap: anywhere; margin: 0.6rem 0 0; }
@media (max-width: 34rem) { .figures { grid-template-columns: 1fr; } .wide { overflow-x: auto; } }
@media print {
  html { font-size: 10pt; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  main { max-width: none; padding: 0; }
  section { margin-top: 7mm; }
  .keep { break-inside: avoid; }
  pre { font-size: 7.5pt; }
}
`
