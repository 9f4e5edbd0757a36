package millrace.bench;

/** What every command gives. */
public record Outcome(long id, String owner, String result, long balance, long held) {}
