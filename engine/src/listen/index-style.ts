// How the index of a listener looks: light and dark, phone and desk.

export const INDEX_STYLE = `
:root { color-scheme: light dark; --page: #f4f5f7; --card: #fff; --text: #14171c; --quiet: #4c5563; --line: #d3d8e0; --main: #1d4ed8; --on-main: #fff; font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif; }
@media (prefers-color-scheme: dark) { :root { --page: #0d0f13; --card: #171a20; --text: #e9ecf1; --quiet: #a9b2bf; --line: #2b313b; --main: #8ab4ff; --on-main: #0d0f13; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1120px; padding: 24px 16px 40px; background: var(--page); color: var(--text); }
h1 { margin: 0 0 18px; font-size: 1.5rem; font-weight: 650; letter-spacing: -0.01em; }
ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(320px, 100%), 1fr)); gap: 16px; margin: 0; padding: 0; list-style: none; }
li { display: flex; flex-direction: column; gap: 4px; padding: 18px; border: 1px solid var(--line); border-radius: 14px; background: var(--card); }
h2 { margin: 0; font-size: 1.125rem; font-weight: 650; overflow-wrap: anywhere; }
h2 a { display: inline-block; padding: 3px 0; color: inherit; text-decoration: none; }
p { margin: 0; color: var(--quiet); }
nav { display: flex; flex-wrap: wrap; gap: 8px; margin-top: auto; padding-top: 14px; }
nav a { display: inline-flex; align-items: center; min-height: 44px; padding: 0 16px; border: 1px solid var(--line); border-radius: 10px; color: inherit; text-decoration: none; }
nav a.page { border-color: var(--main); background: var(--main); color: var(--on-main); font-weight: 600; }
nav span { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
a:focus-visible { outline: 3px solid var(--main); outline-offset: 2px; }
@media (hover: hover) { nav a:hover { border-color: var(--quiet); } h2 a:hover { text-decoration: underline; } }
`

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`)
}
