// `engine init [FOLDER]`: a new project with a first channel.
import { writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import process from 'node:process'
import type { Command } from 'commander'
import { readEngineVersion } from '../../observe/engine-version.js'
import { createFolder } from '../../state/create-folder.js'
import { commandName } from '../command-name.js'
import { EXIT } from '../exit-codes.js'
import { renderJsonText } from '../render-json-text.js'
import type { Verb, VerbContext } from '../verb.js'

/** What npm takes as the name of a package, of a folder with any name. */
function packageName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  return name === '' || name === 'millrace' ? 'my-channel' : name.slice(0, 100)
}

export const initVerb = {
  declare(program: Command): Command {
    return program
      .command('init')
      .description('write a first channel with comments, a package.json, a schema for editors and a systemd unit')
      .argument('[folder]', 'where; by default here')
  },
  /** Files that exist stay as they are. 1 if a file cannot be written. */
  async run({ streams, folder: here }: Pick<VerbContext, 'streams' | 'folder'>, target: string = '.') {
    const folder = resolve(here, target)
    const { showCatalogue } = await import('../show-catalogue.js')
    const { editorSchema } = await import('../../config/editor-schema.js')
    const { offeredBy } = await import('../../plugin/catalogue.js')
    const { projectFiles } = await import('../project-files.js')
    const catalogue = await showCatalogue(streams, { folder: here }, { run: 'describe' })
    const schema = renderJsonText(editorSchema(offeredBy(catalogue).map(({ definition }) => definition)))
    const settings = {
      ...{ folder, name: packageName(folder), version: readEngineVersion(), schema },
      command: resolve(process.argv[1] ?? 'engine'),
      say: commandName(streams.env),
      nodeFolder: dirname(process.execPath),
    }
    await createFolder(folder, 0o755)
    for (const { name, text, about } of projectFiles(settings)) {
      const isNew = await writeNew(join(folder, name), text)
      const shown = relative(here, join(folder, name)) || name
      streams.out.write(isNew ? `${shown}  ${about}\n` : `${shown}  exists, and stays as it is\n`)
    }
    const file = relative(here, join(folder, 'live.yaml')) || 'live.yaml'
    streams.err.write(`Next: ${settings.say} check ${file}, then ${settings.say} run ${file}\n`)
    return EXIT.ok
  },
} satisfies Verb

async function writeNew(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
