// What can be wrong with plugins when they are looked up.
import { defineErrors } from '../errors.js'

export const pluginError = defineErrors({
  PLUGIN_NOT_FOUND: {
    sentence: 'A plugin that the YAML names is not installed.',
    hint: 'install it next to the YAML with npm install, or correct the name',
    reaction: 'config',
  },
  PLUGIN_PACKAGE_JSON: {
    sentence: 'A package.json cannot be read.',
    hint: 'correct the JSON of that file',
    reaction: 'config',
  },
  PLUGIN_API: {
    sentence: 'A plugin was made for another version of the plugin contract.',
    hint: 'install a version of the plugin whose package.json fits: "millrace": { "api": "^1.0" }',
    reaction: 'config',
  },
  PLUGIN_PEER: {
    sentence: 'A peer dependency of a plugin is not installed where the plugin can find it.',
    hint: 'install the missing package with npm install, in the project that has the plugin',
    reaction: 'config',
  },
  PLUGIN_COMMONJS: {
    sentence: 'A plugin is a CommonJS module, and the engine imports ECMAScript modules alone.',
    hint: 'a plugin is an ES module: "type": "module" in its package.json, import and export in its code',
    reaction: 'config',
  },
  PLUGIN_COPIES: {
    sentence: 'A plugin has its own copy of a package that it should share with the engine.',
    hint: 'name the package in the peerDependencies of the plugin only, and run npm dedupe',
    reaction: 'config',
  },
  PLUGIN_MANIFEST: {
    sentence: 'The manifest of a plugin is missing, cannot be read, or differs from its code.',
    hint: 'build the plugin again; its build runs `engine plugins manifest`',
    reaction: 'config',
  },
  PLUGIN_IMPORT: {
    sentence: 'The module of a plugin fails to load.',
    hint: 'build or reinstall the plugin',
    reaction: 'config',
  },
  PLUGIN_INVALID: {
    sentence: 'The default export of a plugin is neither a definition nor an array of definitions.',
    hint: 'export default defineInput(...), defineTransform(...), defineOutput(...), defineService(...), defineListener(...), defineAuth(...), or an array of them',
    reaction: 'config',
  },
  PLUGIN_DUPLICATE_TYPE: {
    sentence: 'Two plugins provide the same kind and type.',
    hint: 'remove one of them',
    reaction: 'config',
  },
  PLUGIN_FAULT: {
    sentence: 'A function of a definition throws while options are checked.',
    hint: 'report it to the author of the plugin',
    reaction: 'bug',
  },
})

export type PluginErrorCode = keyof typeof pluginError.table & string
