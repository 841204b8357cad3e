// Loaded before a program that is measured (node --import): says at the end how much memory it took at most.
process.on('exit', () => {
  process.stderr.write(`maxRssBytes=${process.resourceUsage().maxRSS * 1024}\n`);
});
