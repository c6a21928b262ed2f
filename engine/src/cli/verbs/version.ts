// `engine version`: the version of this program.
import process from 'node:process'
import type { Command } from 'commander'
import { readEngineVersion } from '../../observe/engine-version.js'
import { EXIT } from '../exit-codes.js'
import { addJsonOption } from '../json-option.js'
import type { JsonOption } from '../json-option.js'
import { renderJsonText } from '../render-json-text.js'
import type { Verb, VerbContext } from '../verb.js'

export const versionVerb = {
  declare(program: Command): Command {
    return addJsonOption(program.command('version').description('print the version of this program and of Node'))
  },
  run({ streams: { out } }: Pick<VerbContext, 'streams'>, { json }: JsonOption) {
    const version = readEngineVersion()
    const node = process.versions.node
    out.write(json === true ? renderJsonText({ version, node }) : `millrace ${version}, Node ${node}\n`)
    return Promise.resolve(EXIT.ok)
  },
} satisfies Verb
