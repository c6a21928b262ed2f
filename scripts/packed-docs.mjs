// What the package `millrace` brings beside its code: the notice of its licence, the documentation for users, example
// pipelines, and what monitors an engine. `write` copies it into the package before it is packed, and `remove` takes it away.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ROOT, listFiles, listPublished } from './repository.mjs'

const PACKAGE = 'millrace'
/** The folders of the repository that are copied, with the same names. */
const FOLDERS = ['docs', 'pipelines', 'deploy/prometheus', 'deploy/grafana', 'deploy/systemd']
/** Of no use without the repository. */
const LEFT_OUT = /^docs\/(?:architecture\.md|images\/)/
const LINK = /\[([^\]]*)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)/g

/** The contents of the copies, by their path in the package. */
function packedFiles() {
  const names = FOLDERS.flatMap((folder) => listFiles(folder, (path) => !LEFT_OUT.test(path)))
  const pages = new Map(listPublished().map(({ folder, manifest }) => [`${folder}/README.md`, manifest.name]))
  const textOf = (path) => {
    const bytes = readFileSync(join(ROOT, path))
    if (!path.endsWith('.md')) return bytes
    return bytes.toString().replaceAll(LINK, (link, ...parts) => linkOf(path, link, parts))
  }
  /** A link that leads out of the package goes to the registry, or becomes a text. */
  const linkOf = (path, link, [text, target]) => {
    const to = normalize(join(dirname(path), target)).replace(/\/$/, '')
    if (names.includes(to)) return link
    const page = to === 'README.md' ? PACKAGE : pages.get(to)
    return page === undefined ? text : `[${text}](https://www.npmjs.com/package/${page})`
  }
  return new Map(['NOTICE', ...names].map((path) => [path, textOf(path)]))
}

export function writePackedDocs() {
  removePackedDocs()
  for (const [path, content] of packedFiles()) {
    const target = join(ROOT, PACKAGE, path)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, content)
  }
}

export function removePackedDocs() {
  for (const name of ['NOTICE', ...new Set(FOLDERS.map((path) => path.split('/')[0]))]) {
    const path = join(ROOT, PACKAGE, name)
    if (existsSync(path)) rmSync(path, { recursive: true })
  }
}

// `npm publish` and `npm pack` run it.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === 'write') writePackedDocs()
  else removePackedDocs()
}
