/** The style sheet of a report's page, light or dark as the reader has it. */
export const STYLE: string = `
:root { --paper: #fff; --ink: #1c2024; --pale: #667079; --rule: #e3e6e9; --band: #f4f6f7; --c0: #1f6fb2; --c1: #c2571a; --c2: #2d8a57; --c3: #8a4fb0; --c4: #a3123f; --c5: #6b6f00 }
@media (prefers-color-scheme: dark) {
  :root { --paper: #15181b; --ink: #e6e9ec; --pale: #98a2ab; --rule: #30363b; --band: #1d2125; --c0: #6db3ec; --c1: #f0955a; --c2: #6cc795; --c3: #c597e6; --c4: #f27d9d; --c5: #c9cd5a }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
main { max-width: 820px; margin: 0 auto; padding: 24px 20px 48px }
h1 { margin: 0 0 4px; font-size: 24px; overflow-wrap: anywhere }
h2 { margin: 32px 0 8px; font-size: 17px }
p { margin: 0; color: var(--pale) }
dl { display: flex; flex-wrap: wrap; gap: 8px 32px; margin: 20px 0 0 }
dt { color: var(--pale); font-size: 13px }
dd { margin: 0; font-size: 19px; font-variant-numeric: tabular-nums }
.wide { overflow-x: auto }
table { width: 100%; border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums }
th, td { padding: 5px 0 5px 14px; border-bottom: 1px solid var(--rule); text-align: right; white-space: nowrap }
th { color: var(--pale); font-weight: normal; white-space: normal; vertical-align: bottom }
.left { padding-left: 0; padding-right: 6px; text-align: left }
.left + .left { padding-left: 14px }
figure { margin: 28px 0 0 }
svg { display: block; width: 100%; height: auto; overflow: visible }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif }
svg .title { font-size: 14px; font-weight: 600 }
svg .tick, svg .band { fill: var(--pale); font-variant-numeric: tabular-nums }
.grid { stroke: var(--rule); fill: none }
.band-0 { fill: var(--band) }
.band-1 { fill: none }
.line { fill: none; stroke-width: 2; stroke-linejoin: round }
.dot { stroke: none }
.spot { fill: transparent }
.legend { font-size: 13px }
.key { margin-right: 14px; white-space: nowrap }
.key::before { content: ""; display: inline-block; width: 16px; height: 3px; margin-right: 6px; vertical-align: middle; background: currentColor }
${[0, 1, 2, 3, 4, 5].map((i) => `.line.line-${i} { stroke: var(--c${i}) } .dot.line-${i} { fill: var(--c${i}) } .key.line-${i} { color: var(--c${i}) }`).join("\n")}
`;
