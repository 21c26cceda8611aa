// `completion`: what has a shell complete the commands and their options.
import { UsageProblem, say } from "../../../../scripts/terminal.mjs";
import { typed } from "../../../../scripts/typed.mjs";

/** @import { Command, Operands } from "../../../../scripts/command.mjs" */

/**
 * What each shell reads: it asks `webpubsub-edge complete`, with the words up to the one that is being typed.
 * @type {Record<string, string>}
 */
const SCRIPTS = {
  bash: `_webpubsub_edge() {
  local IFS=$'\\n'
  COMPREPLY=($(webpubsub-edge complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}"))
}
complete -o default -F _webpubsub_edge webpubsub-edge`,
  zsh: `_webpubsub_edge() {
  local -a found
  found=("\${(@f)$(webpubsub-edge complete -- "\${(@)words[2,CURRENT]}")}")
  if [[ -n "\${found[1]}" ]]; then compadd -a found; else _files; fi
}
compdef _webpubsub_edge webpubsub-edge`,
  fish: `complete -c webpubsub-edge -a '(webpubsub-edge complete -- (commandline -opc)[2..] (commandline -ct))'`,
};

export const completion = {
  name: typed("completion"),
  summary: "Prints what has a shell complete commands and options.",
  about:
    "Prints what has a shell complete the commands and options of webpubsub-edge, which has to be in PATH: install the\npackage with --global.",
  rest: "SHELL",
  flags: {},
  examples: [
    ['eval "$(webpubsub-edge completion bash)"', "in ~/.bashrc"],
    ['eval "$(webpubsub-edge completion zsh)"', "in ~/.zshrc, after compinit"],
    ["webpubsub-edge completion fish | source", "in ~/.config/fish/config.fish"],
  ],

  /** @param {Operands} values */
  run({ rest: [shell] }) {
    if (!Object.hasOwn(SCRIPTS, shell))
      throw new UsageProblem(`SHELL must be one of ${Object.keys(SCRIPTS).join(", ")}, not "${shell}".`);
    say(SCRIPTS[shell]);
  },
};

/**
 * What the last of these words may become; no word for what only the person knows, such as a hub.
 * @param {string[]} words
 * @param {Record<string, Pick<Command, "flags">>} commands
 */
export function candidates(words, commands) {
  const typing = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const names = Object.keys(commands);
  const name = names.find((one) => one.split(" ").every((word, at) => before[at] === word));
  if (name !== undefined) {
    const flags = [...Object.keys(commands[name].flags), "help"].map((flag) => `--${flag}`);
    return typing.startsWith("-") ? flags.filter((flag) => flag.startsWith(typing)) : [];
  }
  const next = names.map((one) => one.split(" ")).filter((parts) => before.every((word, at) => parts[at] === word));
  return [...new Set(next.map((parts) => parts[before.length]))].filter((word) => word?.startsWith(typing));
}
