// Which function of PyTorch is which function here: read from the doc comments, checked against the list of PyTorch's own.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));

/** A function of this package, and the first sentence of its doc. */
interface Found {
  readonly name: string;
  readonly file: string;
  readonly about: string;
}

/** Names that are not matched by a doc comment of their own. */
interface Elsewhere {
  /** PyTorch's second names for what it has already, or what is written otherwise here, as code. */
  readonly same: Readonly<Record<string, string>>;
  /** What is not here, by reason. */
  readonly absent: Readonly<Record<string, readonly string[]>>;
}

/** `F.relu`, `torch.relu` and `torch.nn.functional.relu` are one function; torch.linalg stands for itself. */
function key(name: string): string {
  return name
    .replace(/\(.*$/, '')
    .replace(/^torch\./, '')
    .replace(/^(F|nn\.functional)\./, '');
}

/** Every exported function, namespaces included, that its doc comment likens to one of PyTorch. */
function exported(): Map<string, Found> {
  const project = join(root, 'tsconfig.json');
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(project, ts.sys.readFile).config,
    ts.sys,
    root,
    undefined,
    project,
  );
  const entry = join(root, 'lib', 'index.ts');
  const program = ts.createProgram([entry], options);
  const checker = program.getTypeChecker();
  const found = new Map<string, Found>();
  const visit = (module: ts.Symbol, path: string, depth: number) => {
    for (const symbol of checker.getExportsOfModule(module)) {
      const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      const name = path + symbol.name;
      if (target.flags & ts.SymbolFlags.Module && depth < 2) visit(target, `${name}.`, depth + 1);
      else describe(target, name);
    }
  };
  const describe = (symbol: ts.Symbol, name: string) => {
    // The comment of an overloaded function may stand at any of its declarations.
    const text = ts
      .displayPartsToString(symbol.getDocumentationComment(checker))
      .replace(/\s+/g, ' ')
      .replace(/\{@link (\S+?) *\}/g, '`$1`');
    const declaration = symbol.declarations?.[0];
    const source = declaration?.getSourceFile();
    if (declaration === undefined || source === undefined) return;
    const file = source.fileName.slice(root.length + 1);
    const about = (/^(.*?)(?: \((?:[^()]*; )?PyTorch|\. |\.$|$)/.exec(text)?.[1] ?? '').replace(/:$/, '').trim();
    for (const [, list] of text.matchAll(/PyTorch: ((?:`[^`]+`(?:, | and )?)+)/g)) {
      for (const [, torch] of list.matchAll(/`([^`]+)`/g)) {
        const known = found.get(key(torch));
        // nn.functional repeats what stands at the top.
        if (known === undefined || name.split('.').length < known.name.split('.').length) {
          found.set(key(torch), { name, file, about });
        }
      }
    }
  };
  const module = checker.getSymbolAtLocation(program.getSourceFile(entry) as ts.SourceFile);
  visit(module as ts.Symbol, '', 0);
  return found;
}

const cell = (text: string) => text.replaceAll('|', '\\|');

/** The page, and the names of PyTorch that neither a function nor a reason answers, or that two do. */
export function opsIndex(): { page: string; problems: string[] } {
  const found = exported();
  const elsewhere = JSON.parse(readFileSync(join(here, 'elsewhere.json'), 'utf8')) as Elsewhere;
  const reasons = new Map(Object.entries(elsewhere.absent).flatMap(([why, names]) => names.map((name) => [name, why])));
  const names = readFileSync(join(here, 'torch.txt'), 'utf8').trim().split('\n');
  const problems: string[] = [];
  const rows = new Map<string, string[]>();
  const count = { here: 0, absent: 0 };
  for (const name of names) {
    const section = name.slice(0, name.lastIndexOf('.'));
    const ours = found.get(key(name)) ?? found.get(key(name.replace('torch.linalg.', 'torch.')));
    const same = elsewhere.same[name];
    const why = reasons.get(name);
    if ([ours, same, why].filter((answer) => answer !== undefined).length > 1) problems.push(`${name} has two answers`);
    let row = '';
    if (ours !== undefined) row = `| \`${name}\` | [\`${ours.name}\`](../${ours.file}) | ${cell(ours.about)} |`;
    else if (same !== undefined) row = `| \`${name}\` | \`${cell(same)}\` | |`;
    else if (why !== undefined) row = `| \`${name}\` | | not here: ${cell(why)} |`;
    else problems.push(`${name} has no answer`);
    if (ours ?? same) count.here++;
    else if (why !== undefined) count.absent++;
    rows.set(section, [...(rows.get(section) ?? []), row]);
  }
  for (const name of [...Object.keys(elsewhere.same), ...reasons.keys()]) {
    if (!names.includes(name)) problems.push(`${name} is answered but not asked for`);
  }
  const sections = [...rows].map(
    ([section, lines]) => `## ${section}\n\n| PyTorch | here | |\n|---|---|---|\n${lines.join('\n')}\n`,
  );
  const page = `# Operations

What people use of \`torch\`, \`torch.nn.functional\`, \`torch.linalg\` and \`torch.autograd\`, and what it is called here: ${count.here} of
${names.length} functions; ${count.absent} are not here, each with its reason. Most are methods of \`Tensor\` as well.

Written by \`npm run docs:ops\` from the doc comments of \`lib/\`; the tests fail when it is out of date.

${sections.join('\n')}`;
  return { page, problems };
}
