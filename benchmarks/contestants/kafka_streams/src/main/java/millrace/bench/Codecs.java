package millrace.bench;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Map;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** JSON for whatever has fields, and a compact form of an owner's state for those who mind the time. */
final class Codecs {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final int FIXED_BYTES = 2 * Long.BYTES + 2 * Integer.BYTES;
    private static final int MOST_HOLD_BYTES = 40;

    private Codecs() {}

    static <T> Serde<T> json(Class<T> type) {
        return Serdes.serdeFrom(
                (topic, value) -> {
                    try {
                        return value == null ? null : MAPPER.writeValueAsBytes(value);
                    } catch (IOException error) {
                        throw new UncheckedIOException(error);
                    }
                },
                (topic, bytes) -> {
                    try {
                        return bytes == null ? null : MAPPER.readValue(bytes, type);
                    } catch (IOException error) {
                        throw new UncheckedIOException(error);
                    }
                });
    }

    /** balance, held, number and ids of recent commands, number of holds, each as length, id, amount. */
    static Serde<Owner> binaryOwner() {
        return Serdes.serdeFrom((topic, owner) -> owner == null ? null : write(owner),
                (topic, bytes) -> bytes == null ? null : read(ByteBuffer.wrap(bytes)));
    }

    private static byte[] write(Owner owner) {
        int most = FIXED_BYTES + Long.BYTES * owner.recent.size() + MOST_HOLD_BYTES * owner.holds.size();
        ByteBuffer to = ByteBuffer.allocate(most);
        to.putLong(owner.balance).putLong(owner.held).putInt(owner.recent.size());
        for (Long id : owner.recent) {
            to.putLong(id);
        }
        to.putInt(owner.holds.size());
        for (Map.Entry<String, Long> hold : owner.holds.entrySet()) {
            byte[] id = hold.getKey().getBytes(ISO_8859_1);
            to.put((byte) id.length).put(id).putLong(hold.getValue());
        }
        byte[] written = new byte[to.position()];
        to.flip().get(written);
        return written;
    }

    private static Owner read(ByteBuffer from) {
        Owner owner = new Owner();
        owner.balance = from.getLong();
        owner.held = from.getLong();
        for (int left = from.getInt(); left > 0; left--) {
            owner.recent.add(from.getLong());
        }
        for (int left = from.getInt(); left > 0; left--) {
            byte[] id = new byte[from.get()];
            from.get(id);
            owner.holds.put(new String(id, ISO_8859_1), from.getLong());
        }
        return owner;
    }
}
