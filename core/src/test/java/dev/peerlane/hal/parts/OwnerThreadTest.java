package dev.peerlane.hal.parts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class OwnerThreadTest {
    private static String refusal(OwnerThread owner, Thread.Builder builder) throws Exception {
        CompletableFuture<String> said = new CompletableFuture<>();
        builder.start(() -> {
            try {
                owner.check("the thing");
                said.complete("");
            } catch (IllegalStateException e) {
                said.complete(OwnerThread.name(Thread.currentThread()) + "|" + e.getMessage());
            }
        });
        return said.get();
    }

    @Test
    void refusalNamesBothThreadsEvenUnnamedOnes() throws Exception {
        OwnerThread owner = new OwnerThread();
        String self = Thread.currentThread().getName();
        owner.check("the thing");
        assertThat(refusal(owner, Thread.ofPlatform().name("other")))
                .isEqualTo("other|the thing belongs to thread %s, not to other", self);
        String[] virtual = refusal(owner, Thread.ofVirtual()).split("\\|", -1);
        assertThat(virtual[0]).matches("#\\d+");
        assertThat(virtual[1])
                .isEqualTo("the thing belongs to thread %s, not to %s", self, virtual[0]);
    }

    @Test
    void aHandedOverObjectBelongsToTheNextThreadThatUsesIt() throws Exception {
        OwnerThread owner = new OwnerThread();
        owner.handOver("the thing");
        assertThat(refusal(owner, Thread.ofPlatform().name("next"))).isEmpty();
        assertThat(owner.isCurrent()).isFalse();
        assertThatThrownBy(() -> owner.handOver("the thing"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageStartingWith("the thing belongs to thread next, not to ");
        assertThatCode(() -> new OwnerThread().check("another")).doesNotThrowAnyException();
    }
}
