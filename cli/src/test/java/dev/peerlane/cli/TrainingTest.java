package dev.peerlane.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TrainingTest {
    @Test
    void everyTrainingCommandSucceeds() {
        assertThat(Training.run()).isZero();
    }
}
