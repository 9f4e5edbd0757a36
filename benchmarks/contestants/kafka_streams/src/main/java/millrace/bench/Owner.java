package millrace.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An owner's state and the rule that changes it, in place; the same rule as benchmarks/rule.py. */
public final class Owner {
    private static final int REMEMBERED = 16;

    public long balance;
    public long held;
    public Map<String, Long> holds = new LinkedHashMap<>();
    public List<Long> recent = new ArrayList<>(REMEMBERED + 1);

    /** Apply a command: "ok", "rejected" or "duplicate"; the last leaves the state as it was. */
    String decide(Command command) {
        if (recent.contains(command.id())) {
            return "duplicate";
        }
        recent.add(command.id());
        if (recent.size() > REMEMBERED) {
            recent.remove(0);
        }
        return switch (command.type()) {
            case "deposit" -> deposit(command.amount());
            case "hold" -> hold(command.holdId(), command.amount());
            case "capture" -> end(command.holdId(), true);
            case "release" -> end(command.holdId(), false);
            default -> throw new IllegalArgumentException(command.type());
        };
    }

    private String deposit(long amount) {
        balance += amount;
        return "ok";
    }

    private String hold(String holdId, long amount) {
        if (balance - held < amount) {
            return "rejected";
        }
        held += amount;
        holds.put(holdId, amount);
        return "ok";
    }

    private String end(String holdId, boolean captured) {
        Long amount = holds.remove(holdId);
        if (amount == null) {
            return "rejected";
        }
        held -= amount;
        if (captured) {
            balance -= amount;
        }
        return "ok";
    }
}
