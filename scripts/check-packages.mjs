// Checks what `npm pack` would publish of each workspace: everything that its package.json names, its licence and its
// README whose links hold on a registry, and no development files.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { removePackedDocs, writePackedDocs } from './packed-docs.mjs'
import { ROOT, listPublished } from './repository.mjs'
import { runCommand } from './run-command.mjs'

const LINK = /\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)\s]*)?\)/g
const NOT_SHIPPED = /(^|\/)(src|node_modules)\/|\.test\.|\.tsbuildinfo$|tsconfig.*\.json$|\.tgz$/

/** @returns {Promise<string[]>} the faults */
export async function checkPackages() {
  writePackedDocs()
  try {
    return await checkPacked()
  } finally {
    removePackedDocs()
  }
}

async function checkPacked() {
  const published = listPublished()
  const workspaces = published.map(({ folder }) => `--workspace=${folder}`)
  const { code, output } = await runCommand(['npm', 'pack', '--dry-run', '--json', '--ignore-scripts', ...workspaces], {
    cwd: ROOT,
  })
  if (code !== 0) return [output]
  const packed = readPacked(output)
  return published.flatMap(({ folder, manifest }) => {
    const files = packed.get(manifest.name)
    return files === undefined ? [`${folder}: missing from the output of npm pack`] : faultsOf(folder, manifest, files)
  })
}

/** Package name -> paths in its tarball. npm writes warnings around the JSON. */
function readPacked(output) {
  const list = JSON.parse(output.slice(output.indexOf('[\n'), output.lastIndexOf(']') + 1))
  return new Map(list.map(({ name, files }) => [name, new Set(files.map(({ path }) => path))]))
}

function faultsOf(folder, manifest, files) {
  const missing = promised(manifest).filter((path) => !files.has(path))
  const extra = [...files].filter((path) => NOT_SHIPPED.test(path))
  return [
    ...missing.map((path) => `${folder}: ${path} is not in the package`),
    ...extra.map((path) => `${folder}: ${path} must not be in the package`),
    ...leadingOut(folder, files).map((link) => `${folder}: ${link} is not in the package`),
    ...(files.has('LICENSE') && !sameLicence(folder) ? [`${folder}/LICENSE differs from LICENSE`] : []),
  ]
}

/** Links of its pages to files that are not packed. A page of a registry shows the README alone: links lead elsewhere. */
function leadingOut(folder, files) {
  return [...files]
    .filter((path) => path.endsWith('.md'))
    .flatMap((page) => {
      const text = readFileSync(join(ROOT, folder, page), 'utf8')
      return [...text.matchAll(LINK)]
        .map(([, target]) => join(dirname(page), target))
        .filter((target) => !files.has(target.replace(/\/$/, '')))
        .map((target) => `the link of ${page} to ${target}`)
    })
}

/** The files that a package must contain: its entry points, its manifest, and what every package has. */
function promised({ exports = {}, bin = {}, millrace = {}, files = [] }) {
  const notice = files.filter((path) => path === 'NOTICE')
  const named = [...Object.values(exports), ...Object.values(bin), millrace.manifest ?? [], notice].flat()
  const entries = named.map((path) => path.replace(/^\.\//, ''))
  return [...new Set([...entries, ...entries.filter(isCompiled).map(declarationOf), 'LICENSE', 'README.md'])]
}

function isCompiled(path) {
  return path.startsWith('dist/') && path.endsWith('.js')
}

function declarationOf(path) {
  return path.replace(/\.js$/, '.d.ts')
}

function sameLicence(folder) {
  return readFileSync(join(ROOT, folder, 'LICENSE'), 'utf8') === readFileSync(join(ROOT, 'LICENSE'), 'utf8')
}
