// Renders the plugin contract as a page: every name that `@millrace/engine/plugin` exports, with its declaration and its
// comment, as the compiler wrote them. A change of the contract is then a change of that page.
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fail } from './prepare.mjs'
import { ROOT } from './repository.mjs'

const ENTRY = 'engine/dist/plugin/index.d.ts'
const MEDIA = { '@millrace/media/mpegts': 'media/dist/mpegts/index.d.ts' }

/** `version`: of the API. */
export function renderPluginApi(version) {
  const sections = new Map()
  for (const { names, from } of exportsOf(ENTRY)) {
    for (const name of names) {
      const { path, text } = declarationOf(name, from)
      const declarations = sections.get(path) ?? []
      sections.set(path, [...declarations, text])
    }
  }
  const head = `# Plugin API ${version}

What \`@millrace/engine/plugin\` exports, as the compiler sees it. Generated from the code: a change of the contract is a change of this page, which \`npm run check\` asks for. How to write a plugin: [plugins.md](plugins.md). Services by token: [architecture](architecture.md#services-and-tokens).`
  const body = [...sections].map(([path, declarations]) => renderSection(path, declarations))
  return [head, ...body].join('\n\n') + '\n'
}

function renderSection(path, declarations) {
  const source = path.replace('/dist/', '/src/').replace(/\.d\.ts$/, '.ts')
  const intro = leadingComment(source)
  const code = ['```ts', declarations.join('\n\n'), '```'].join('\n')
  const title = `## [${basename(source)}](${relative('docs', source)})`
  return [title, intro, code].filter((part) => part !== '').join('\n\n')
}

/** The `//` lines at the top of a source file, as one paragraph. */
function leadingComment(path) {
  const lines = readFileSync(join(ROOT, path), 'utf8').split('\n')
  const end = lines.findIndex((line) => !line.startsWith('//'))
  return lines
    .slice(0, end)
    .map((line) => line.slice(2).trim())
    .join(' ')
}

/** The names that a declaration file exports from others, in order. */
function exportsOf(path) {
  const statements = read(path).matchAll(/export (?:type )?\{([^}]*)\} from '([^']+)';/g)
  return Array.from(statements, ([, list, from]) => ({
    names: list
      .split(',')
      .map(nameOf)
      .filter((name) => name !== ''),
    from: resolveFrom(path, from),
  }))
}

function nameOf(exported) {
  return exported.trim().replace(/^type /, '')
}

function resolveFrom(path, from) {
  if (MEDIA[from] !== undefined) return MEDIA[from]
  if (!from.startsWith('.')) return undefined
  return join(dirname(path), from.replace(/\.js$/, '.d.ts'))
}

/** Follows the name through files that only pass it on. */
function declarationOf(name, path) {
  if (path === undefined) fail(`${name} comes from a package that the page does not know`)
  const text = read(path)
  const found = Array.from(
    text.matchAll(
      new RegExp(`^export (?:declare )?(?:abstract )?(?:interface|type|class|const|function) ${name}\\b`, 'gm'),
    ),
    ({ index }) => withComment(text, index),
  )
  if (found.length > 0) return { path, text: found.join('\n') }
  const passedOn = exportsOf(path).find(({ names }) => names.includes(name))
  if (passedOn === undefined) fail(`${path} does not declare ${name}`)
  return declarationOf(name, passedOn.from)
}

function withComment(text, start) {
  const before = text.slice(0, start)
  const comment = before.endsWith('*/\n') ? before.slice(before.lastIndexOf('/**')) : ''
  return comment + text.slice(start, endOf(text, start)).replace(/^export (declare )?/, '')
}

/** Where the declaration ends: at a semicolon or a closing brace that is not inside of anything. */
function endOf(text, start) {
  let depth = 0
  let isComment = false
  for (let at = start; at < text.length; at++) {
    if (isComment) {
      isComment = !text.startsWith('*/', at)
      continue
    }
    if (text.startsWith('/*', at)) isComment = true
    else if ('{(['.includes(text[at])) depth++
    else if ('})]'.includes(text[at])) depth--
    if (depth > 0 || isComment) continue
    if (text[at] === ';') return at + 1
    if (text[at] === '}' && text[at + 1] === '\n') return at + 1
  }
  return text.length
}

function read(path) {
  if (!existsSync(join(ROOT, path))) fail(`${path} does not exist: build first`)
  return readFileSync(join(ROOT, path), 'utf8')
}
