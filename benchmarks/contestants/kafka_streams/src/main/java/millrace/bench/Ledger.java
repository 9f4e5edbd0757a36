package millrace.bench;

import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** Decides every command against its owner's state in the store. */
final class Ledger implements Processor<String, Command, String, Outcome> {
    static final String STORE = "owners";

    private final Start start;
    private ProcessorContext<String, Outcome> context;
    private KeyValueStore<String, Owner> owners;

    Ledger(Start start) {
        this.start = start;
    }

    @Override
    public void init(ProcessorContext<String, Outcome> given) {
        context = given;
        owners = given.getStateStore(STORE);
    }

    @Override
    public void process(Record<String, Command> record) {
        start.now();
        Command command = record.value();
        Owner known = owners.get(record.key());
        Owner owner = known == null ? new Owner() : known;
        String result = owner.decide(command);
        if (!"duplicate".equals(result)) {
            owners.put(record.key(), owner);
        }
        context.forward(record.withValue(
                new Outcome(command.id(), command.owner(), result, owner.balance, owner.held)));
    }
}
