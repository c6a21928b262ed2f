// Writes the manifest of each of our plugins that is older than its code; the last step of the build. `--check` writes
// nothing: it renders all manifests, and fails naming those that differ.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ROOT, listFiles, listPlugins } from './repository.mjs'

const CHECK = process.argv.includes('--check')

const load = (path) => import(pathToFileURL(join(ROOT, path)).href)
const plugins = listPlugins().map(({ folder, manifest }) => ({
  folder,
  path: join(folder, manifest.millrace.manifest),
}))
const enginesAgeMs = newestMs(compiledIn('engine/dist/plugin'))
const chosen = plugins.filter(({ folder, path }) => CHECK || isOlder(path, folder))
const stale = []
// Most builds change no plugin; then the engine is not loaded.
if (chosen.length > 0) {
  const { makeManifest, writeManifest } = await load('engine/dist/plugin/make-manifest.js')
  const { renderManifest } = await load('engine/dist/plugin/manifest.js')
  const { readPackage } = await load('engine/dist/plugin/plugin-package.js')
  for (const { folder, path } of chosen) {
    const place = join(ROOT, folder)
    if (!CHECK) await writeManifest(place)
    else if (textOf(path) !== renderManifest(await makeManifest(await readPackage(place)))) stale.push(path)
  }
}
if (stale.length > 0) {
  process.stderr.write(`stale, run \`npm run build\`: ${stale.join(' ')}\n`)
  process.exit(1)
}

function isOlder(path, folder) {
  const writtenMs = statSync(join(ROOT, path), { throwIfNoEntry: false })?.mtimeMs ?? 0
  const codeMs = newestMs([...compiledIn(join(folder, 'dist')), join(folder, 'package.json')])
  return writtenMs < Math.max(codeMs, enginesAgeMs)
}

function compiledIn(folder) {
  return listFiles(folder, (path) => path.endsWith('.js') && !path.includes('.test.'))
}

function newestMs(paths) {
  return Math.max(0, ...paths.map((path) => statSync(join(ROOT, path)).mtimeMs))
}

function textOf(path) {
  return existsSync(join(ROOT, path)) ? readFileSync(join(ROOT, path), 'utf8') : ''
}
