// `node scripts/pack.mjs FOLDER`: packs every package that is published into the folder, as a tarball each. What is packed
// is what has been built.
import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { removePackedDocs, writePackedDocs } from './packed-docs.mjs'
import { fail } from './prepare.mjs'
import { ROOT, listPublished } from './repository.mjs'
import { runCommand } from './run-command.mjs'

const [folder] = process.argv.slice(2)
if (folder === undefined) fail('usage: node scripts/pack.mjs FOLDER')
const target = resolve(folder)
mkdirSync(target, { recursive: true })
const workspaces = listPublished().map((each) => `--workspace=${each.folder}`)
writePackedDocs()
try {
  const command = ['npm', 'pack', '--ignore-scripts', '--pack-destination', target, ...workspaces]
  const { code, output } = await runCommand(command, { cwd: ROOT })
  if (code !== 0) fail(output)
} finally {
  removePackedDocs()
}
