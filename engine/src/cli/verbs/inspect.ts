// `engine inspect [KIND/]TYPE`: describes a node type from the manifest of its plugin; without a type, lists all types.
import type { Command } from 'commander'
import { didYouMean } from '../../config/report/did-you-mean.js'
import { printable } from '../../observe/printable.js'
import type { Offered } from '../../plugin/catalogue.js'
import type { TextStream } from '../cli-streams.js'
import { withCommandName } from '../command-name.js'
import { EXIT } from '../exit-codes.js'
import { addJsonOption } from '../json-option.js'
import type { JsonOption } from '../json-option.js'
import { addPluginFileOption } from '../plugin-file-option.js'
import type { PluginFileOption } from '../plugin-file-option.js'
import { renderJsonText } from '../render-json-text.js'
import { renderNodeType, renderNodeTypes } from '../render-node-type.js'
import { styleFor } from '../terminal-style.js'
import type { Verb, VerbContext } from '../verb.js'

export const inspectVerb = {
  declare(program: Command): Command {
    const command = addPluginFileOption(program.command('inspect'))
      .description('describe a node type: options, defaults, metrics, errors, examples; without a type, list all types')
      .argument('[type]', 'a type, or kind/type: file, input/file')
    return addJsonOption(command)
  },
  /** 2 if there is no such type, or two kinds have it. */
  async run(
    { streams, folder }: Pick<VerbContext, 'streams' | 'folder'>,
    name: string | undefined,
    { file, json }: PluginFileOption & JsonOption,
  ) {
    const { showCatalogue } = await import('../show-catalogue.js')
    const { offeredBy } = await import('../../plugin/catalogue.js')
    const { out, err, env } = streams
    const offered = offeredBy(await showCatalogue(streams, { file, folder }, { run: 'describe' }))
    const style = styleFor(out, env)
    if (name === undefined) {
      out.write(json === true ? renderJsonText(offered.map(jsonOf)) : renderNodeTypes(offered, style))
      return EXIT.ok
    }
    const chosen = findType(name, offered, err)
    if (chosen === undefined) return EXIT.usage
    out.write(json === true ? renderJsonText(jsonOf(chosen)) : withCommandName(renderNodeType(chosen, style), env))
    return EXIT.ok
  },
} satisfies Verb

/** Undefined if the name does not mean exactly one type, which is then reported. */
function findType(name: string, offered: readonly Offered[], err: TextStream): Offered | undefined {
  const chosen = offered.filter(({ definition: { kind, type } }) => name === type || name === `${kind}/${type}`)
  const [first, ...others] = chosen
  if (first === undefined) {
    const definitions = offered.map(({ definition }) => definition)
    // The short names first: a long list is cut.
    const known = [
      ...new Set([...definitions.map(({ type }) => type), ...definitions.map(({ kind, type }) => `${kind}/${type}`)]),
    ]
    const near = didYouMean(name, known, 'types')
    err.write(printable(`error: there is no type "${name}"${near === undefined ? '' : `\n  = help: ${near}`}\n`))
    return undefined
  }
  if (others.length === 0) return first
  const names = chosen.map(({ definition: { kind, type } }) => `${kind}/${type}`)
  const help = `name the kind: \`engine inspect ${names[0] ?? ''}\``
  err.write(printable(`error: "${name}" is both ${names.join(' and ')}\n  = help: ${help}\n`))
  return undefined
}

function jsonOf({ definition, plugin }: Offered): object {
  return { ...definition, errors: plugin.manifest?.errors ?? [], package: plugin.name, version: plugin.version }
}
